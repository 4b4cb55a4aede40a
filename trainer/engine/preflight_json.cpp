#include <nlohmann/json.hpp>

#include "trainer/engine/preflight.h"

namespace casvit::trainer {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const launch::DiskRoom& room) {
  return {{"folder", room.folder},
          {"writable", room.writable},
          {"free_bytes", room.free_bytes ? Json(*room.free_bytes) : Json(nullptr)}};
}

Json json_of(const std::optional<DataFacts>& data) {
  if (!data) return nullptr;
  if (!data->problem.empty()) return {{"problem", data->problem}};
  return {{"hash", data->hash},
          {"samples", data->samples},
          {"classes", data->classes},
          {"bytes_to_stage", data->bytes_to_stage}};
}

Json json_of(const std::optional<GpuFacts>& gpu) {
  if (!gpu) return nullptr;
  return {{"name", gpu->name},
          {"uuid", gpu->uuid},
          {"memory_bytes", gpu->total_bytes},
          {"memory_free_bytes", gpu->free_bytes}};
}

Json json_of(const RankFacts& rank, const launch::ClockSkew& clock) {
  return {{"rank", rank.rank},
          {"host", rank.host},
          {"local_rank", rank.local_rank},
          {"cores", rank.cores},
          {"machine_cores", rank.machine_cores},
          {"compute_threads", rank.compute_threads},
          {"loader_threads", rank.loader_threads},
          {"device", rank.device},
          {"gpu", json_of(rank.gpu)},
          {"memory_bytes", rank.memory.total_bytes},
          {"memory_free_bytes", rank.memory.free_bytes},
          {"memory_limited", rank.memory.limited},
          {"checkpoints", json_of(rank.checkpoints)},
          {"stage_to", rank.stage_to ? json_of(*rank.stage_to) : Json(nullptr)},
          {"binary", rank.binary},
          {"train", json_of(std::optional(rank.train))},
          {"val", json_of(rank.val)},
          {"clock_skew_seconds", clock.seconds},
          {"clock_uncertainty_seconds", clock.uncertainty_seconds}};
}

Json json_of(const std::optional<launch::CollectiveSpeed>& speed) {
  if (!speed) return nullptr;
  return {{"latency_seconds", speed->latency_seconds},
          {"bytes", speed->bytes},
          {"bytes_per_second", speed->bytes_per_second},
          {"bus_bytes_per_second", speed->bus_bytes_per_second}};
}

Json json_of(const launch::Check& check) {
  return {{"name", check.name},       {"verdict", launch::verdict_name(check.verdict)},
          {"finding", check.finding}, {"advice", check.advice},
          {"ranks", check.ranks},     {"exit_code", static_cast<int>(check.code)}};
}

}  // namespace

std::string preflight_json(const PreflightReport& report) {
  const PreflightFindings& findings = report.findings;
  Json ranks = Json::array();
  for (std::size_t i = 0; i < findings.ranks.size(); ++i) {
    ranks.push_back(json_of(findings.ranks[i], findings.clocks.at(i)));
  }
  Json checks = Json::array();
  for (const launch::Check& check : report.checks) checks.push_back(json_of(check));
  const Json all = {
      {"preflight", launch::verdict_name(launch::verdict_of(report.checks))},
      {"exit_code", static_cast<int>(report.code)},
      {"ranks", findings.world.ranks},
      {"hosts", findings.world.hosts},
      {"mpi", findings.world.mpi},
      {"casvit", CASVIT_VERSION},
      {"parameters", findings.needs.parameters},
      {"checkpoint_bytes", findings.needs.checkpoint_bytes},
      {"checkpoints", findings.needs.checkpoints},
      {"resident_bytes", findings.needs.resident_bytes},
      {"all_reduce",
       {{"host_memory", json_of(report.host_memory)}, {"gpu_memory", json_of(report.gpu_memory)}}},
      {"checks", std::move(checks)},
      {"by_rank", std::move(ranks)}};
  // A path need not be UTF-8, JSON must be.
  return all.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

}  // namespace casvit::trainer
