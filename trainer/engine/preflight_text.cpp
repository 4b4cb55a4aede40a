#include <algorithm>

#include "launch/preflight/agreement.h"
#include "trainer/engine/preflight.h"
#include "trainer/engine/room_needed.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

/// Hosts beyond so many are counted, not listed: the page stays one.
constexpr std::size_t kHostsShown = 16;

/// One host with its ranks, cut short where there are very many.
std::string host_lines(const std::vector<const RankFacts*>& ranks, double skew_seconds) {
  const RankFacts& first = *ranks.front();
  std::string text = formatted(
      "%-20s %s; %d of %d cores, %d + %d threads a rank; memory %s free of %s%s; clock %+.3g s\n",
      first.host.c_str(), launch::ranks_text(numbers_of(ranks)).c_str(), first.cores,
      first.machine_cores, first.compute_threads, first.loader_threads,
      bytes_text(first.memory.free_bytes).c_str(), bytes_text(first.memory.total_bytes).c_str(),
      first.memory.limited ? " (control group)" : "", skew_seconds);
  for (const RankFacts* rank : ranks) {
    if (!rank->gpu) continue;
    text += formatted("%-20s rank %d: %s, %s free of %s, %s\n", "", rank->rank,
                      rank->gpu->name.c_str(), bytes_text(rank->gpu->free_bytes).c_str(),
                      bytes_text(rank->gpu->total_bytes).c_str(), rank->gpu->uuid.c_str());
  }
  return text;
}

std::string hosts_text(const PreflightFindings& findings) {
  const auto hosts = by_host(findings.ranks);
  std::string text;
  for (std::size_t i = 0; i < std::min(hosts.size(), kHostsShown); ++i) {
    const auto first = static_cast<std::size_t>(hosts[i].front()->rank);
    text += host_lines(hosts[i], findings.clocks.at(first).seconds);
  }
  if (hosts.size() > kHostsShown) {
    text += formatted("and %zu more hosts (all of them with --json)\n", hosts.size() - kHostsShown);
  }
  return text;
}

std::string speed_text(const char* where, const std::optional<launch::CollectiveSpeed>& speed) {
  if (!speed) return {};
  return formatted("all_reduce (%s): %.3g ms for one number, %s/s for %s (%s/s a rank each way)\n",
                   where, speed->latency_seconds * 1e3,
                   bytes_text(static_cast<std::uint64_t>(speed->bytes_per_second)).c_str(),
                   bytes_text(speed->bytes).c_str(),
                   bytes_text(static_cast<std::uint64_t>(speed->bus_bytes_per_second)).c_str());
}

/// Line breaks within a finding are indented below it.
std::string indented(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "                        ";
  }
  return out;
}

}  // namespace

std::string preflight_text(const PreflightReport& report) {
  const launch::WorldFound& world = report.findings.world;
  std::string text = launch::size_text(world.ranks, world.hosts) + ", casvit " CASVIT_VERSION ", " +
                     world.mpi + "\n\n" + hosts_text(report.findings) + "\n";
  text += speed_text("host memory", report.host_memory);
  text += speed_text("GPU memory, NCCL", report.gpu_memory);
  if (report.host_memory) text += "\n";
  for (const launch::Check& check : report.checks) {
    text += formatted("%-14s %-8s ", check.name.c_str(), launch::verdict_name(check.verdict)) +
            indented(check.finding) + "\n";
    if (!check.advice.empty()) text += std::string(24, ' ') + indented(check.advice) + "\n";
  }
  return text;
}

}  // namespace casvit::trainer
