#include "trainer/engine/preflight.h"

#include <ATen/ATen.h>

#include "trainer/engine/check_world.h"
#include "trainer/engine/compute.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/engine/room_needed.h"
#include "trainer/parallel/device_communicator.h"
#include "trainer/parallel/shard_plan.h"

namespace casvit::trainer {
namespace {

/// As large as a bucket of gradients is by default.
constexpr std::int64_t kMeasuredElements = 1'000'000;

RunNeeds needs_of(const Config& config, const DataFacts& train, const launch::World& world) {
  RunNeeds needs;
  if (!train.problem.empty()) return needs;
  needs.problem = problem_with_ranks(config, world.size());
  try {
    // On the device without memory: shapes alone count.
    const Rcvit model(model_of(config, train.classes), at::kFloat, at::kMeta);
    needs.parameters = static_cast<std::uint64_t>(model.state().parameter_count());
    needs.checkpoint_bytes = checkpoint_bytes(model.state(), config.ema.decay > 0);
    needs.resident_bytes = resident_bytes(config, model.state());
    const ShardPlan plan =
        ShardPlan::make(step_table_of(config, train.samples), world.size(), world.rank());
    needs.checkpoints = checkpoints_at_once(config, plan.steps);
  } catch (const std::exception& error) {  // told as what it is: a finding
    needs.problem = error.what();
  }
  return needs;
}

launch::CollectiveSpeed measure(launch::Communicator& communicator, const at::Device& device,
                                launch::World& world) {
  const at::Tensor buffer =
      at::zeros({kMeasuredElements}, at::TensorOptions().dtype(at::kFloat).device(device));
  return launch::measure_all_reduce(communicator, buffer.mutable_data_ptr(), buffer.nbytes(),
                                    world.communicator());
}

}  // namespace

PreflightReport preflight(const Config& config, const std::string& run_folder,
                          launch::World& world) {
  world.set_timeout(timeout_of(config));
  PreflightReport report;
  PreflightFindings& findings = report.findings;
  findings.world = launch::look_at(world);
  findings.ranks = gather_facts(look_around(config, run_folder, world), world.communicator());
  findings.clocks = launch::measure_clock_skews(world.communicator());
  findings.needs =
      needs_of(config, findings.ranks[static_cast<std::size_t>(world.rank())].train, world);
  report.checks = preflight_checks(config, findings);
  report.code = launch::exit_code_of(report.checks);
  if (world.size() == 1) return report;
  report.host_memory = measure(world.communicator(), at::kCPU, world);
  // Only ranks that agree on everything can set NCCL up together.
  if (findings.ranks.front().gpu && report.code == launch::ExitCode::kDone) {
    const Compute compute = choose_compute(config.device, config.precision.amp, world.local_rank());
    if (const auto nccl = make_device_communicator(world, compute.device)) {
      report.gpu_memory = measure(*nccl, compute.device, world);
    }
  }
  return report;
}

}  // namespace casvit::trainer
