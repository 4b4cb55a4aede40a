#include "trainer/engine/train.h"

#include "trainer/engine/training_run.h"

namespace casvit::trainer {

launch::ExitCode train(const Config& config, const TrainOptions& options, launch::World& world) {
  TrainingRun run(config, options, world);
  while (!run.finished() && !run.interrupted()) {
    run.train_to_next_stop();
    run.evaluate();
    run.save();
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

}  // namespace casvit::trainer
