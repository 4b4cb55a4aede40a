#include "trainer/engine/preflight_checks.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <regex>
#include <set>

#include "launch/preflight/agreement.h"
#include "trainer/engine/configuration_differences.h"
#include "trainer/engine/room_needed.h"

namespace casvit::trainer {
namespace {

using launch::Check;
using launch::ExitCode;
using launch::Verdict;
using Ranks = std::vector<RankFacts>;

/// Clocks further apart make logs hard to read side by side, and let files seem to be of tomorrow.
constexpr double kSkewSeconds = 1;

Check ok(std::string name, std::string finding) {
  return {std::move(name), Verdict::kOk, std::move(finding), {}, {}, ExitCode::kDone};
}

Check warning(std::string name, std::string finding, std::string advice, std::vector<int> ranks) {
  return {std::move(name),   Verdict::kWarning, std::move(finding),
          std::move(advice), std::move(ranks),  ExitCode::kDone};
}

Check failure(std::string name, ExitCode code, std::string finding, std::string advice,
              std::vector<int> ranks) {
  return {std::move(name),   Verdict::kFailed, std::move(finding),
          std::move(advice), std::move(ranks), code};
}

std::vector<std::string> hosts_of(const Ranks& ranks) {
  std::vector<std::string> hosts;
  hosts.reserve(ranks.size());
  for (const RankFacts& rank : ranks) hosts.push_back(rank.host);
  return hosts;
}

template <typename Read>
std::vector<std::string> each(const Ranks& ranks, Read read) {
  std::vector<std::string> values;
  values.reserve(ranks.size());
  for (const RankFacts& rank : ranks) values.push_back(read(rank));
  return values;
}

std::string who(const std::vector<int>& others, const Ranks& ranks) {
  return launch::ranks_and_hosts_text(others, hosts_of(ranks)) +
         (others.size() == 1 ? " has " : " have ");
}

std::string on_all(const Ranks& ranks) {
  return ranks.size() == 1 ? "" : " on all " + std::to_string(ranks.size()) + " ranks";
}

Check check_world(const Config& config, const launch::WorldFound& world) {
  const launch::ExpectedWorld expected{config.launch.expect_ranks, config.launch.expect_hosts};
  const launch::WorldProblem problem = launch::compare(world, expected);
  if (!problem.finding.empty()) {
    return failure("world", ExitCode::kUsage, problem.finding, problem.advice, {});
  }
  const bool any = expected.ranks == 0 && expected.hosts == 0;
  return ok("world", launch::size_text(world.ranks, world.hosts) +
                         (any ? " (launch.expect_ranks would hold a job to it)" : ", as expected"));
}

Check check_binary(const Ranks& ranks) {
  const auto others =
      launch::dissenters(each(ranks, [](const RankFacts& rank) { return rank.binary; }));
  if (others.empty()) return ok("binary", ranks.front().binary + on_all(ranks));
  return failure("binary", ExitCode::kUsage, who(others, ranks) + "another casvit_dist",
                 "install the same build on every host", others);
}

Check check_configuration(const Ranks& ranks) {
  const auto yamls = each(ranks, [](const RankFacts& rank) { return rank.configuration; });
  const auto others = launch::dissenters(yamls);
  if (others.empty()) return ok("configuration", "the same" + on_all(ranks));
  return failure(
      "configuration", ExitCode::kUsage,
      who(others, ranks) + "another configuration" + configuration_differences(yamls, others),
      "every rank must see the same file and options", others);
}

std::string describe(const DataFacts& data) {
  return std::to_string(data.samples) + " pictures of " + std::to_string(data.classes) +
         " classes, hash " + data.hash;
}

Check check_data(const Config& config, const Ranks& ranks) {
  const auto problem = [](const RankFacts& rank) {
    return !rank.train.problem.empty() || !rank.val ? rank.train.problem : rank.val->problem;
  };
  std::vector<int> without;
  for (const RankFacts& rank : ranks) {
    if (!problem(rank).empty()) without.push_back(rank.rank);
  }
  if (!without.empty()) {
    const RankFacts& first = ranks[static_cast<std::size_t>(without.front())];
    const bool unnamed = config.data.train.empty();
    return failure("data", unnamed ? ExitCode::kUsage : ExitCode::kInput,
                   launch::ranks_and_hosts_text(without, hosts_of(ranks)) + ": " + problem(first),
                   unnamed ? "name the data in the configuration"
                           : "put the same files on every host, or where all hosts see them",
                   without);
  }
  const auto others = launch::dissenters(each(ranks, [](const RankFacts& rank) {
    return rank.train.hash + (rank.val ? rank.val->hash : "");
  }));
  if (!others.empty()) {
    return failure("data", ExitCode::kInput, who(others, ranks) + "other data (by their hash)",
                   "put the same files on every host, or where all hosts see them", others);
  }
  const RankFacts& any = ranks.front();
  if (any.val && any.val->class_hash != any.train.class_hash) {
    return failure("data", ExitCode::kUsage, "data.val has other classes than data.train",
                   "pack both from folders with the same class names", {});
  }
  return ok("data", "train: " + describe(any.train) +
                        (any.val ? "; val: " + describe(*any.val) : "; no data.val") +
                        on_all(ranks));
}

Check check_batches(const Config& config, const PreflightFindings& findings) {
  if (!findings.needs.problem.empty()) {
    return failure("batches", ExitCode::kUsage, findings.needs.problem,
                   "change the number of ranks or the configuration", {});
  }
  return ok("batches",
            std::to_string(config.batch.shards) + " shards x " +
                std::to_string(config.batch.shard_size) + " pictures, " +
                std::to_string(config.batch.shards / static_cast<int>(findings.ranks.size())) +
                " a rank");
}

/// "cuda:3, bf16 autocast" without the number, which ranks may differ in.
std::string kind_of_device(const RankFacts& rank) {
  static const std::regex kNumber(":[0-9]+");
  return std::regex_replace(rank.device, kNumber, "") + (rank.gpu ? ", " + rank.gpu->name : "");
}

Check check_devices(const Ranks& ranks) {
  std::map<std::string, int> owners;
  for (const RankFacts& rank : ranks) {
    if (!rank.device_problem.empty()) {
      return failure(
          "device", ExitCode::kUsage,
          launch::ranks_and_hosts_text({rank.rank}, hosts_of(ranks)) + ": " + rank.device_problem,
          "change device or precision.amp, or the hosts", {rank.rank});
    }
    if (!rank.gpu) continue;
    const auto [owner, is_new] = owners.try_emplace(rank.gpu->uuid, rank.rank);
    if (!is_new) {
      return failure("device", ExitCode::kUsage,
                     "ranks " + std::to_string(owner->second) + " and " +
                         std::to_string(rank.rank) + " on " + rank.host + " would share one GPU (" +
                         rank.gpu->uuid + ")",
                     "start one rank a GPU, and show each node's ranks different ones",
                     {owner->second, rank.rank});
    }
  }
  const auto kinds = each(ranks, kind_of_device);
  const auto others = launch::dissenters(kinds);
  if (others.empty()) return ok("device", kinds.front() + on_all(ranks));
  const std::string& other = kinds[static_cast<std::size_t>(others.front())];
  return warning("device", who(others, ranks) + "another device than the rest: " + other,
                 "set device and precision.amp to what all of them have; the slowest sets the pace",
                 others);
}

Check check_cores(const Ranks& ranks) {
  std::set<std::string> shapes;
  for (const auto& host : by_host(ranks)) {
    const RankFacts& first = *host.front();
    int threads = 0;
    int own_cores = 0;
    for (const RankFacts* rank : host) {
      threads += rank->compute_threads;
      own_cores += rank->cores;
    }
    const int cores = first.has_private_cores ? own_cores : first.cores;
    const std::string found = std::to_string(threads) + " compute threads in " +
                              std::to_string(host.size()) +
                              (host.size() == 1 ? " rank on " : " ranks on ") +
                              std::to_string(cores) + (cores == 1 ? " core" : " cores");
    if (threads > cores) {
      return warning("cores", first.host + " has " + found,
                     "start fewer ranks, or lower launch.threads", numbers_of(host));
    }
    if (first.has_private_cores && cores * 2 <= first.machine_cores) {
      return warning("cores",
                     first.host + " has " + std::to_string(first.machine_cores) +
                         " cores, of which its ranks are bound to " + std::to_string(cores),
                     "start with mpirun --bind-to none, or bind each rank to more cores",
                     numbers_of(host));
    }
    shapes.insert(found);
  }
  return ok("cores", *shapes.begin() + (shapes.size() > 1 ? " and the like" : "") +
                         (by_host(ranks).size() > 1 ? " a host" : ""));
}

Check check_memory(const Ranks& ranks, const RunNeeds& needs) {
  for (const auto& host : by_host(ranks)) {
    const RankFacts& first = *host.front();
    const std::uint64_t wanted = needs.resident_bytes * host.size();
    if (first.memory.total_bytes == 0 || wanted <= first.memory.free_bytes) continue;
    return warning("memory",
                   first.host + " has " + bytes_text(first.memory.free_bytes) + " left" +
                       (first.memory.limited ? " of its control group's limit" : "") +
                       ", and its ranks need " + bytes_text(wanted) + " besides activations",
                   "lower batch.shard_size or data.queue_batches, set parallel.zero, start fewer "
                   "ranks a host, or raise the job's memory limit",
                   numbers_of(host));
  }
  const auto least = std::ranges::min_element(
      ranks, {}, [](const RankFacts& rank) { return rank.memory.free_bytes; });
  return ok("memory", bytes_text(least->memory.free_bytes) + " free, " +
                          bytes_text(needs.resident_bytes) + " a rank needed besides activations");
}

Check check_disk(const Ranks& ranks, const RunNeeds& needs) {
  const RankFacts& writer = ranks.front();
  const std::string problem = problem_with_room(writer.checkpoints, needs.checkpoint_bytes);
  if (!problem.empty()) {
    return failure("disk", ExitCode::kOutput, "rank 0 on " + writer.host + ": " + problem, "", {0});
  }
  const std::uint64_t wanted =
      needs.checkpoint_bytes * static_cast<std::uint64_t>(needs.checkpoints);
  const std::string use =
      std::to_string(needs.checkpoints) + " checkpoints of " + bytes_text(needs.checkpoint_bytes);
  if (!writer.checkpoints.free_bytes) {
    return ok("disk", "the file system of " + writer.checkpoints.folder +
                          " does not say how much is free; needed for " + use);
  }
  const std::string free =
      bytes_text(*writer.checkpoints.free_bytes) + " free for " + writer.checkpoints.folder;
  if (*writer.checkpoints.free_bytes < wanted) {
    return warning("disk", free + " on " + writer.host + ", but the run keeps up to " + use,
                   "make room, lower checkpoint.keep, or choose another folder with --out", {0});
  }
  return ok("disk", free + ", for up to " + use);
}

Check check_staging(const Ranks& ranks) {
  for (const RankFacts& rank : ranks) {
    if (!rank.stage_to || rank.local_rank != 0) continue;
    const std::uint64_t wanted =
        rank.train.bytes_to_stage + (rank.val ? rank.val->bytes_to_stage : 0);
    const std::string place = "rank " + std::to_string(rank.rank) + " on " + rank.host;
    if (wanted > 0 && !rank.stage_to->writable) {
      return failure("staging", ExitCode::kOutput,
                     place + ": data.stage_to (" + rank.stage_to->folder + ") cannot be written to",
                     "choose a folder on each host's own disk that this user can write in",
                     {rank.rank});
    }
    if (rank.stage_to->free_bytes && *rank.stage_to->free_bytes < wanted) {
      return failure("staging", ExitCode::kOutput,
                     place + ": data.stage_to (" + rank.stage_to->folder + ") has " +
                         bytes_text(*rank.stage_to->free_bytes) + " left, and " +
                         bytes_text(wanted) + " are to be copied there",
                     "make room there, or leave data.stage_to out", {rank.rank});
    }
  }
  const RankFacts& first = ranks.front();
  return ok("staging",
            bytes_text(first.train.bytes_to_stage + (first.val ? first.val->bytes_to_stage : 0)) +
                " a host to copy to " + first.stage_to->folder);
}

Check check_clocks(const PreflightFindings& findings) {
  const auto text = [](double seconds) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.3g s", seconds);
    return std::string(buffer);
  };
  std::vector<int> others;
  double worst = 0;
  double uncertainty = 0;
  for (std::size_t rank = 0; rank < findings.clocks.size(); ++rank) {
    const launch::ClockSkew& skew = findings.clocks[rank];
    worst = std::max(worst, std::abs(skew.seconds));
    uncertainty = std::max(uncertainty, skew.uncertainty_seconds);
    if (std::abs(skew.seconds) - skew.uncertainty_seconds > kSkewSeconds) {
      others.push_back(static_cast<int>(rank));
    }
  }
  if (others.empty()) {
    return ok("clock", "within " + text(worst) + " of rank 0's, +- " + text(uncertainty));
  }
  return warning("clock",
                 who(others, findings.ranks) + "a clock up to " + text(worst) +
                     " away from rank 0's, +- " + text(uncertainty),
                 "have the hosts keep time (chrony, NTP)", others);
}

}  // namespace

std::vector<Check> preflight_checks(const Config& config, const PreflightFindings& findings) {
  const Ranks& ranks = findings.ranks;
  std::vector<Check> checks{check_world(config, findings.world), check_binary(ranks),
                            check_configuration(ranks), check_data(config, ranks)};
  if (checks.back().verdict == Verdict::kOk) checks.push_back(check_batches(config, findings));
  checks.push_back(check_devices(ranks));
  checks.push_back(check_cores(ranks));
  checks.push_back(check_memory(ranks, findings.needs));
  checks.push_back(check_disk(ranks, findings.needs));
  if (ranks.front().stage_to) checks.push_back(check_staging(ranks));
  checks.push_back(check_clocks(findings));
  return checks;
}

}  // namespace casvit::trainer
