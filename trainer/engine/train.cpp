#include "trainer/engine/train.h"

#include <memory>
#include <string>

#include "trainer/engine/check_world.h"
#include "trainer/engine/run_log.h"
#include "trainer/engine/stage_data.h"
#include "trainer/engine/training_run.h"

namespace casvit::trainer {

namespace {

launch::ExitCode carry_out(TrainingRun& run) {
  while (!run.finished() && !run.interrupted()) {
    run.train_to_next_stop();
    run.evaluate();
    run.save();
    run.show();
  }
  if (!run.interrupted()) {
    run.report();
  }
  if (run.interrupted()) {
    run.leave();
    return launch::ExitCode::kInterrupted;
  }
  return launch::ExitCode::kDone;
}

}  // namespace

launch::ExitCode train(const Config& config, const TrainOptions& options, launch::World& world) {
  check_world(config, world);
  std::unique_ptr<TrainingRun> run;
  try {
    run = std::make_unique<TrainingRun>(config, options, world);
  } catch (const StagingInterrupted& interrupted) {
    world.communicator().barrier();
    RunLog(world.rank() == 0)
        .line(std::string(interrupted.what()) + ", before the first step: run it again");
    return launch::ExitCode::kInterrupted;
  }
  try {
    return carry_out(*run);
  } catch (...) {
    run->give_up();
    // With other ranks the process ends here. Its collectives may still be under way in the run's
    // buffers, and waiting for its threads could take for ever: nothing is taken down.
    if (world.size() > 1) {
      static_cast<void>(run.release());
    }
    throw;
  }
}

}  // namespace casvit::trainer
