#include "trainer/engine/train.h"

#include <optional>

#include "trainer/engine/run_log.h"
#include "trainer/engine/stage_data.h"
#include "trainer/engine/training_run.h"

namespace casvit::trainer {

launch::ExitCode train(const Config& config, const TrainOptions& options, launch::World& world) {
  std::optional<TrainingRun> run;
  try {
    run.emplace(config, options, world);
  } catch (const StagingInterrupted& interrupted) {
    world.communicator().barrier();
    RunLog(world.rank() == 0)
        .line(std::string(interrupted.what()) + ", before the first step: run it again");
    return launch::ExitCode::kInterrupted;
  }
  while (!run->finished() && !run->interrupted()) {
    run->train_to_next_stop();
    run->evaluate();
    run->save();
  }
  if (!run->interrupted()) {
    run->report();
  }
  if (run->interrupted()) {
    run->leave();
    return launch::ExitCode::kInterrupted;
  }
  return launch::ExitCode::kDone;
}

}  // namespace casvit::trainer
