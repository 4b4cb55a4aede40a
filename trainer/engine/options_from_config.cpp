#include "trainer/engine/options_from_config.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
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

namespace {

/// The step at which an epoch, or a fraction of one, has passed; at most the last step's end.
std::int64_t step_after(double epochs, const dataio::StepTable& steps) {
  const double whole = std::floor(epochs);
  const auto epoch = static_cast<std::int64_t>(whole);
  if (steps.first_step(epoch) >= steps.total_steps()) {
    return steps.total_steps();
  }
  return steps.first_step(epoch) +
         std::llround((epochs - whole) * static_cast<double>(steps.steps_in_epoch(epoch)));
}

ScheduleKind schedule_kind(const std::string& name) {
  return name == "linear"     ? ScheduleKind::kLinear
         : name == "step"     ? ScheduleKind::kStep
         : name == "constant" ? ScheduleKind::kConstant
                              : ScheduleKind::kCosine;
}

ScheduleOptions learning_rate_schedule(const Config& config, const dataio::StepTable& steps) {
  ScheduleOptions options;
  options.kind = schedule_kind(config.schedule.name);
  options.peak = scaled_learning_rate(config);
  options.minimum = config.schedule.minimum;
  options.warmup_start = config.schedule.warmup_start;
  options.total_steps = steps.total_steps();
  options.warmup_steps = config.schedule.warmup_steps > 0
                             ? config.schedule.warmup_steps
                             : step_after(config.schedule.warmup_epochs, steps);
  if (options.warmup_steps >= options.total_steps) {
    throw ConfigError("schedule.warmup_steps is " + std::to_string(options.warmup_steps) +
                      ", but the training has " + std::to_string(options.total_steps) +
                      " steps; make it shorter, or train.epochs more");
  }
  options.fall_factor = config.schedule.step_factor;
  if (options.kind == ScheduleKind::kStep) {
    for (int fall = 1; fall * config.schedule.step_epochs < config.train.epochs; ++fall) {
      options.falls.push_back(step_after(fall * config.schedule.step_epochs, steps));
    }
  }
  return options;
}

ScheduleOptions weight_decay_schedule(const Config& config, const dataio::StepTable& steps) {
  const double start = config.optimizer.weight_decay;
  ScheduleOptions options;
  options.kind =
      config.optimizer.weight_decay_end ? ScheduleKind::kCosine : ScheduleKind::kConstant;
  options.peak = start;
  options.minimum = config.optimizer.weight_decay_end.value_or(start);
  options.total_steps = steps.total_steps();
  return options;
}

DropPathSchedule drop_path_schedule(const std::string& name) {
  return name == "early"          ? DropPathSchedule::kEarly
         : name == "early_linear" ? DropPathSchedule::kEarlyLinear
         : name == "late"         ? DropPathSchedule::kLate
                                  : DropPathSchedule::kConstant;
}

OptimizerKind optimizer_kind(const std::string& name) {
  return name == "sgd"    ? OptimizerKind::kSgd
         : name == "lion" ? OptimizerKind::kLion
                          : OptimizerKind::kAdamW;
}

}  // namespace

TrainingSchedule schedule_of(const Config& config, const dataio::StepTable& steps) {
  return {learning_rate_schedule(config, steps), weight_decay_schedule(config, steps),
          drop_path_schedule(config.model.drop_path_schedule),
          step_after(config.model.drop_path_epochs, steps)};
}

OptimizerOptions optimizer_of(const Config& config) {
  OptimizerOptions options;
  options.kind = optimizer_kind(config.optimizer.name);
  const std::array<double, 2> usual = options.kind == OptimizerKind::kLion
                                          ? std::array<double, 2>{0.9, 0.99}
                                          : std::array<double, 2>{0.9, 0.999};
  options.betas = config.optimizer.betas.value_or(usual);
  options.eps = config.optimizer.eps;
  options.momentum = config.optimizer.momentum;
  options.nesterov = config.optimizer.nesterov;
  return options;
}

RuleOptions rules_of(const Config& config) {
  return {config.optimizer.layer_decay, config.train.freeze};
}

LossOptions loss_of(const Config& config, const std::vector<std::uint64_t>& class_counts,
                    const at::Device& device) {
  LossOptions options;
  options.kind = config.loss.name == "bce"     ? LossKind::kBinaryCrossEntropy
                 : config.loss.name == "focal" ? LossKind::kFocal
                                               : LossKind::kCrossEntropy;
  options.focal_gamma = config.loss.focal_gamma;
  options.bce_threshold = config.loss.bce_threshold;
  if (!class_counts.empty() && config.loss.class_weights != "none") {
    options.class_weights =
        at::tensor(config.loss.class_weights == "balanced"
                       ? balanced_class_weights(class_counts)
                       : effective_class_weights(class_counts, config.loss.effective_beta))
            .to(device);
  }
  return options;
}

TrainingStepOptions step_options_of(const Config& config, int ranks) {
  TrainingStepOptions step;
  step.shards = config.batch.shards;
  step.shards_per_rank = config.batch.shards / ranks;
  step.seed = config.train.seed;
  step.clip = {config.clip.norm, config.clip.value, config.clip.agc};
  step.loss = loss_of(config, {}, at::kCPU);
  step.distillation = {
      config.distillation.loss == "hard" ? DistillationKind::kHard : DistillationKind::kSoft,
      config.distillation.alpha, config.distillation.tau};
  step.skips_nonfinite = config.train.on_nonfinite == "skip";
  step.most_skipped_in_row = config.train.max_skipped;
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
