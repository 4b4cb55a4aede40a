// casvit_scale: one training step, or one collective, of the product's reducer on a simulated
// cluster. Prints one line of JSON. tools/scale/run calls it for the figures of docs/scaling.md.

#include <smpi/smpi.h>

#include <cstdint>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <simgrid/s4u.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "launch/command_line.h"
#include "tools/scale/schedule/step_schedule.h"
#include "tools/scale/simulation/host_sum.h"
#include "tools/scale/simulation/platform.h"
#include "tools/scale/simulation/rank_program.h"

namespace casvit::scale {
namespace {

struct Options {
  PlatformOptions platform;
  double node_gbps = 400;
  double local_gbytes = 200;
  double network_latency_us = 10;
  double local_latency_us = 2;
  double launch_us = 0;
  double sum_gbytes = 0;
  std::string algorithm = "ring";
  ExchangeOptions exchange;

  std::string profile;
  ReducerSettings reducer;
  int samples = 64;
  double tflops = 30;
  double memory_gbytes = 1000;
  double step_ms = 0;

  std::string collective = "all_reduce";
  std::int64_t bytes = 1 << 20;
};

void add_cluster(launch::CommandLine& command, Options& options) {
  command.option("--ranks", options.platform.ranks, "ranks, one a GPU").range(1, 65536);
  command.option("--ranks-per-node", options.platform.ranks_per_node, "ranks of one node")
      .range(1, 1024);
  command.option("--node-gbps", options.node_gbps, "link of a node, Gb/s each way").positive();
  command
      .option("--local-gbytes", options.local_gbytes, "link of a rank in its node, GB/s each way")
      .positive();
  command.option("--network-latency-us", options.network_latency_us, "of a message between nodes")
      .not_negative();
  command.option("--local-latency-us", options.local_latency_us, "of a message within a node")
      .not_negative();
  command.option("--launch-us", options.launch_us, "before each collective").not_negative();
  command
      .option("--sum-gbytes", options.sum_gbytes,
              "what a host adds up in a second, all inputs counted, GB; 0: no time")
      .not_negative();
  command.option("--algorithm", options.algorithm,
                 "ring, tree, hierarchical-ring, hierarchical-tree, host");
}

void add_step(launch::CommandLine& command, Options& options) {
  command.option("--profile", options.profile, "a file of tools/scale/models").required();
  command.option("--bucket-bytes", options.reducer.bucket_bytes).positive();
  command.option("--first-bucket-bytes", options.reducer.first_bucket_bytes).positive();
  command.flag("--bfloat16", options.reducer.bfloat16_transport, "parallel.transport: bfloat16");
  command.flag("--zero", options.reducer.zero, "parallel.zero: true");
  command.option("--samples", options.samples, "pictures a rank").positive();
  command.option("--tflops", options.tflops, "what a GPU achieves").positive();
  command.option("--memory-gbytes", options.memory_gbytes, "what the update achieves, GB/s")
      .positive();
  command
      .option("--step-ms", options.step_ms,
              "forward and backward as measured, in place of --tflops")
      .not_negative();
  command
      .option("--jitter", options.exchange.jitter, "deviation of the ranks' times over their mean")
      .range(0.0, 1.0);
  command.option("--seed", options.exchange.seed);
}

std::vector<simgrid::s4u::Host*> prepare(Options& options) {
  options.platform.node_bytes_per_second = options.node_gbps * 1e9 / 8;
  options.platform.local_bytes_per_second = options.local_gbytes * 1e9;
  options.platform.network_latency_seconds = options.network_latency_us * 1e-6;
  options.platform.local_latency_seconds = options.local_latency_us * 1e-6;
  options.exchange.algorithm = algorithm_of(options.algorithm);
  options.exchange.ranks = options.platform.ranks;
  options.exchange.ranks_per_node = options.platform.ranks_per_node;
  options.exchange.launch_seconds = options.launch_us * 1e-6;
  if (options.platform.ranks > options.platform.ranks_per_node &&
      options.platform.ranks % options.platform.ranks_per_node != 0) {
    throw std::invalid_argument("--ranks must fill nodes of " +
                                std::to_string(options.platform.ranks_per_node));
  }
  set_host_sum({options.sum_gbytes > 0 ? 1e-9 / options.sum_gbytes : 0, false});
  return make_platform(options.platform);
}

nlohmann::json run_step(Options& options) {
  const ModelProfile profile = read_profile(options.profile);
  ComputeTimes times =
      compute_times(profile, options.samples, options.tflops * 1e12, options.memory_gbytes * 1e9);
  if (options.step_ms > 0) {
    times.forward_seconds = options.step_ms * 1e-3 * profile.forward_share;
    times.backward_seconds = options.step_ms * 1e-3 * (1 - profile.forward_share);
  }
  const auto hosts = prepare(options);
  const StepSchedule schedule =
      StepSchedule::make(profile, options.reducer, times, options.platform.ranks);
  const StepOutcome outcome = simulate_step(schedule, options.exchange, hosts);
  std::int64_t bytes = 0;
  for (const Transfer& transfer : schedule.during_backward) bytes += transfer.bytes;
  return {{"model", profile.name},
          {"ranks", options.platform.ranks},
          {"step_seconds", outcome.step_seconds},
          {"compute_seconds", schedule.compute_seconds},
          {"optimizer_seconds", schedule.optimizer_seconds},
          {"exposed_seconds", outcome.exposed_seconds},
          {"buckets", schedule.layout.buckets.size()},
          {"exchanged_bytes", bytes},
          {"layout_bytes", schedule.layout.length}};
}

nlohmann::json run_collective(Options& options) {
  Transfer transfer;
  transfer.bytes = options.bytes;
  if (options.collective == "reduce_scatter") {
    transfer.kind = Transfer::Kind::kReduceScatter;
  } else if (options.collective == "all_gather") {
    transfer.kind = Transfer::Kind::kAllGather;
  } else if (options.collective != "all_reduce") {
    throw std::invalid_argument("--collective is all_reduce, reduce_scatter or all_gather");
  }
  const auto hosts = prepare(options);
  return {{"collective", options.collective},
          {"ranks", options.platform.ranks},
          {"bytes", options.bytes},
          {"seconds", simulate_transfer(transfer, options.exchange, hosts)}};
}

nlohmann::json run_schedule(Options& options) {
  const ModelProfile profile = read_profile(options.profile);
  const ComputeTimes times =
      compute_times(profile, options.samples, options.tflops * 1e12, options.memory_gbytes * 1e9);
  const StepSchedule schedule =
      StepSchedule::make(profile, options.reducer, times, options.platform.ranks);
  const auto list = [](const std::vector<Transfer>& transfers) {
    nlohmann::json array = nlohmann::json::array();
    for (const Transfer& transfer : transfers) {
      array.push_back({{"bytes", transfer.bytes}, {"ready_seconds", transfer.ready_seconds}});
    }
    return array;
  };
  nlohmann::json json{{"model", profile.name},
                      {"ranks", options.platform.ranks},
                      {"compute_seconds", schedule.compute_seconds},
                      {"optimizer_seconds", schedule.optimizer_seconds},
                      {"during_backward", list(schedule.during_backward)},
                      {"after_update", list(schedule.after_update)},
                      {"layout_bytes", schedule.layout.length},
                      {"parameter_bytes", profile.elements() * 4}};
  if (schedule.norms) json["norms_bytes"] = schedule.norms->bytes;
  return json;
}

int run(int argc, char** argv) {
  launch::CommandLine program(
      "One step or one collective of casvit's reducer on a simulated cluster, as JSON.\n"
      "  casvit_scale step --profile tools/scale/models/rcvit_m.json --ranks 64 "
      "--algorithm tree");
  program.require_subcommand();
  Options options;
  launch::CommandLine step = program.subcommand("step", "a training step");
  launch::CommandLine collective = program.subcommand("collective", "one collective alone");
  launch::CommandLine schedule =
      program.subcommand("schedule", "what a step exchanges and when; no network");
  add_cluster(step, options);
  add_step(step, options);
  add_cluster(collective, options);
  collective.option("--collective", options.collective, "all_reduce, reduce_scatter, all_gather");
  collective.option("--bytes", options.bytes).positive();
  add_step(schedule, options);
  schedule.option("--ranks", options.platform.ranks).range(1, 65536);
  if (const auto exit_code = program.parse_or_print(argc, argv)) return *exit_code;

  std::vector<std::string> settings = ideal_network_arguments();
  std::vector<char*> arguments{argv[0]};
  for (std::string& setting : settings) arguments.push_back(setting.data());
  auto count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  simgrid::s4u::Engine engine(&count, arguments.data());
  SMPI_init();
  const nlohmann::json result = step.given()         ? run_step(options)
                                : collective.given() ? run_collective(options)
                                                     : run_schedule(options);
  std::cout << result.dump() << '\n';
  SMPI_finalize();
  return 0;
}

}  // namespace
}  // namespace casvit::scale

int main(int argc, char** argv) {
  try {
    return casvit::scale::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "casvit_scale: " << error.what() << '\n';
    return 2;
  }
}
