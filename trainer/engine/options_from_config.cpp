#include "trainer/engine/options_from_config.h"

#include <algorithm>
#include <cmath>

#include "trainer/error.h"

namespace casvit::trainer {

RcvitOptions model_of(const Config& config, int data_classes) {
  if (config.model.num_classes != 0 && config.model.num_classes < data_classes) {
    throw ConfigError("model.num_classes is " + std::to_string(config.model.num_classes) +
                      ", but the data have " + std::to_string(data_classes) +
                      " classes; leave it out to take it from the data");
  }
  RcvitOptions options = rcvit_options(config.model.name);
  options.num_classes = std::max(config.model.num_classes, data_classes);
  options.drop_path = config.model.drop_path;
  options.distillation = config.model.distillation;
  return options;
}

int threads_wanted(const Config& config) {
  return config.parallel.reproducible && config.launch.threads == 0 ? 1 : config.launch.threads;
}

CosineScheduleOptions schedule_of(const Config& config, const dataio::StepTable& steps) {
  CosineScheduleOptions options;
  options.peak = config.optimizer.learning_rate;
  options.minimum = config.schedule.minimum;
  options.warmup_start = config.schedule.warmup_start;
  options.total_steps = steps.total_steps();
  const double whole_epochs = std::floor(config.schedule.warmup_epochs);
  const double fraction = config.schedule.warmup_epochs - whole_epochs;
  const auto epoch = static_cast<std::int64_t>(whole_epochs);
  options.warmup_steps = steps.first_step(epoch) +
                         std::llround(fraction * static_cast<double>(steps.steps_in_epoch(epoch)));
  return options;
}

AdamWOptions optimizer_of(const Config& config) {
  return {config.optimizer.weight_decay, config.optimizer.betas, config.optimizer.eps};
}

TrainingStepOptions step_options_of(const Config& config, int ranks) {
  TrainingStepOptions step;
  step.shards = config.batch.shards;
  step.shards_per_rank = config.batch.shards / ranks;
  step.seed = config.train.seed;
  step.clip_norm = config.clip.norm;
  if (config.ema.decay > 0) {
    step.ema = EmaOptions{config.ema.decay, config.ema.warmup};
  }
  step.synchronized_batch_norm = config.parallel.batch_norm == "synchronized" && ranks > 1;
  step.bucket_bytes = static_cast<std::int64_t>(config.parallel.bucket_mb * 1e6);
  step.reducer.reproducible = config.parallel.reproducible;
  step.reducer.bfloat16_transport = config.parallel.transport == "bfloat16";
  step.reducer.scatter = config.parallel.zero && ranks > 1;
  return step;
}

}  // namespace casvit::trainer
