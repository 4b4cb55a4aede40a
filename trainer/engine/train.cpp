#include "trainer/engine/train.h"

#include "trainer/engine/training_run.h"

namespace casvit::trainer {

void train(const Config& config, const TrainOptions& options, launch::World& world) {
  TrainingRun run(config, options, world);
  while (!run.finished()) {
    run.train_to_next_stop();
    run.evaluate();
    run.save();
  }
  run.report();
}

}  // namespace casvit::trainer
