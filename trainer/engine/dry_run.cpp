#include "trainer/engine/dry_run.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "launch/preflight/memory_room.h"
#include "trainer/engine/check_world.h"
#include "trainer/engine/describe_run.h"
#include "trainer/engine/process_memory.h"
#include "trainer/engine/room_needed.h"
#include "trainer/engine/training_run.h"
#include "trainer/report/atomic_file.h"
#include "trainer/report/metrics.h"
#include "trainer/report/progress.h"

namespace casvit::trainer {
namespace {

using Clock = std::chrono::steady_clock;

/// The first steps are not like the others: memory is taken, kernels are chosen.
constexpr std::int64_t kUntimedSteps = 2;
constexpr std::int64_t kFewestSteps = 8;
constexpr double kLeastSeconds = 10;  ///< of timed steps, unless the run is shorter
constexpr std::int64_t kStepsAtOnce = 2;
constexpr std::uint64_t kBlocksARank = 4;

/// A folder of its own beside the run's, which goes away with it. Made by rank 0 and known to all.
class TrialFolder {
 public:
  TrialFolder(const std::string& out, launch::World& world) {
    std::string mine;
    if (world.rank() == 0) {
      const std::filesystem::path parent = std::filesystem::path(out).parent_path();
      if (!parent.empty()) {
        make_folder(parent.string());
      }
      mine = out + ".dry-run-XXXXXX";
      if (::mkdtemp(mine.data()) == nullptr) {
        cannot_write(mine, errno);
      }
      owned_ = mine;
    }
    path_ = launch::all_gather_strings(world.communicator(), mine)[0];
  }
  ~TrialFolder() {
    std::error_code ignored;
    if (!owned_.empty()) {
      std::filesystem::remove_all(owned_, ignored);
    }
  }
  TrialFolder(const TrialFolder&) = delete;
  TrialFolder& operator=(const TrialFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_, owned_;
};

std::vector<std::uint64_t> gather(std::uint64_t mine, launch::Communicator& communicator) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(communicator.size()));
  const auto value = static_cast<std::int64_t>(mine);
  communicator.all_gather(&value, all.data(), 1, launch::ElementType::kInt64).wait();
  return {all.begin(), all.end()};
}

/// Rank 0 decides, and all do.
bool agreed(bool mine, launch::Communicator& communicator) {
  std::int64_t decision = mine ? 1 : 0;
  communicator.broadcast(&decision, 1, launch::ElementType::kInt64, /*root=*/0).wait();
  return decision != 0;
}

/// Steps until there is enough to tell from.
void try_steps(TrainingRun& run, launch::World& world) {
  std::optional<Progress> progress;
  if (world.rank() == 0) {
    progress.emplace("dry run", kUntimedSteps + kFewestSteps);
  }
  auto timed_since = Clock::now();
  const auto enough = [&] {
    const std::int64_t timed = run.state().step - kUntimedSteps;
    const std::chrono::duration<double> passed = Clock::now() - timed_since;
    return timed >= kFewestSteps && passed.count() >= kLeastSeconds;
  };
  while (!run.finished() && !run.interrupted() && !agreed(enough(), world.communicator())) {
    run.train_to_next_stop();
    run.evaluate();
    if (run.state().step == kUntimedSteps) {
      timed_since = Clock::now();
    }
    if (progress) {
      progress->update(std::min(run.state().step, kUntimedSteps + kFewestSteps), "");
    }
  }
}

/// Pixels of all pictures of a step.
double pixels_of(const dataio::StepShape& shape, std::int64_t shards) {
  const double side = shape.image_size;
  return static_cast<double>(shape.shard_size) * static_cast<double>(shards) * side * side;
}

/// Mean time of the whole run's steps, by the pixels that they have and the pixels that a second
/// of the timed ones brought.
void estimate_steps(const RunInputs& inputs, const std::vector<StepMetrics>& tried,
                    RunEstimate& estimate) {
  dataio::StepCursor cursor(inputs.plan.steps);
  double pixels = 0;
  double seconds = 0;
  for (std::size_t i = 0; i < tried.size(); ++i) {
    if (static_cast<std::int64_t>(i) < kUntimedSteps && tried.size() > kUntimedSteps) {
      continue;
    }
    const dataio::StepShape shape = cursor.at(tried[i].step - 1);
    pixels += pixels_of(shape, inputs.plan.shards);
    seconds +=
        static_cast<double>(shape.shard_size * inputs.plan.shards) / tried[i].images_per_second;
    ++estimate.steps_tried;
  }
  double all_pixels = 0;
  double all_pictures = 0;
  dataio::StepCursor whole(inputs.plan.steps);
  for (std::int64_t step = 0; step < inputs.last_step; ++step) {
    const dataio::StepShape shape = whole.at(step);
    all_pixels += pixels_of(shape, inputs.plan.shards);
    all_pictures += static_cast<double>(shape.shard_size * inputs.plan.shards);
  }
  estimate.steps = inputs.last_step;
  estimate.seconds_a_step = seconds / pixels * all_pixels / static_cast<double>(inputs.last_step);
  estimate.images_per_second = all_pictures / (seconds / pixels * all_pixels);
}

/// How often something happens that is due every so many epochs and at the run's end.
std::int64_t times_due(const RunInputs& inputs, int every_epochs) {
  const std::int64_t epochs = inputs.plan.steps.epoch_of(inputs.last_step);
  const bool ends_with_epoch = inputs.at_epoch_end(inputs.last_step);
  return epochs / every_epochs + (ends_with_epoch && epochs % every_epochs == 0 ? 0 : 1);
}

}  // namespace

std::optional<RunEstimate> dry_run(const Config& config, const TrainOptions& options,
                                   launch::World& world) {
  check_world(config, world);
  const std::uint64_t free_bytes = launch::memory_room().free_bytes;
  const TrialFolder folder(options.out, world);
  Config trial = config;
  trial.checkpoint.every_steps = kStepsAtOnce;
  trial.data.stage_to.clear();
  TrainOptions trial_options;
  trial_options.out = folder.path();
  trial_options.rehearsal = true;
  trial_options.most_evaluated = kBlocksARank * static_cast<std::uint64_t>(config.eval.batch_size) *
                                 static_cast<std::uint64_t>(world.size());
  TrainingRun run(trial, trial_options, world);
  try_steps(run, world);
  if (run.interrupted()) {
    return std::nullopt;
  }
  run.save();
  run.report();
  if (run.interrupted()) {
    return std::nullopt;
  }

  const RunInputs& inputs = run.inputs();
  RunEstimate estimate;
  estimate.ranks = world.size();
  estimate.ranks_on_host = world.local_size();
  estimate.host = world.host();
  estimate.free_bytes = free_bytes;
  estimate.peak_bytes = gather(peak_resident_bytes(), world.communicator());
  estimate.device_bytes = gather(peak_device_bytes(inputs.compute.device), world.communicator());
  if (world.rank() != 0) {
    return estimate;
  }
  estimate.run = describe_run(config, inputs, run.state().model, world.size()).front();
  estimate_steps(inputs, read_history(folder.path()).steps, estimate);
  const TrainingRun::Pastimes& pastimes = run.pastimes();
  if (inputs.val) {
    estimate.pictures = static_cast<std::int64_t>(inputs.val->size());
    estimate.pictures_tried = static_cast<std::int64_t>(
        std::min<std::uint64_t>(inputs.val->size(), trial_options.most_evaluated));
    estimate.evaluations = times_due(inputs, config.eval.every_epochs);
    estimate.seconds_an_evaluation =
        pastimes.evaluating / static_cast<double>(pastimes.evaluations) *
        static_cast<double>(estimate.pictures) / static_cast<double>(estimate.pictures_tried);
  }
  estimate.checkpoints = times_due(inputs, config.checkpoint.every_epochs);
  if (config.checkpoint.every_steps > 0) {
    estimate.checkpoints += inputs.last_step / config.checkpoint.every_steps;
  }
  estimate.seconds_a_checkpoint = pastimes.saving / static_cast<double>(pastimes.checkpoints);
  estimate.checkpoint_bytes = checkpoint_bytes(run.state());
  estimate.checkpoints_kept = checkpoints_at_once(config, inputs.plan.steps);
  estimate.reports = std::max<std::int64_t>(estimate.evaluations, 1);
  estimate.seconds_a_report = pastimes.reporting;
  estimate.seconds_to_start = pastimes.starting;
  return estimate;
}

}  // namespace casvit::trainer
