#pragma once

#include "trainer/config/config.h"
#include "trainer/config/data_options.h"
#include "trainer/engine/training_step.h"
#include "trainer/model/rcvit.h"
#include "trainer/optim/optimizer.h"
#include "trainer/optim/schedule.h"

// The configuration in the terms of the parts that carry it out; those of dataio are in
// trainer/config/data_options.h.

namespace casvit::trainer {

/// @throws ConfigError for an unknown `model.name`, or `model.num_classes` below the data's.
RcvitOptions model_of(const Config& config, int data_classes);
/// `launch.threads`, 0: derived from the cores. How LibTorch deals a sum to threads decides its
/// bits: in reproducible mode there is one, unless somebody fixed the number.
int threads_wanted(const Config& config);
/// Epochs of `schedule.*` become steps: an epoch has as many as `steps` says.
TrainingSchedule schedule_of(const Config& config, const dataio::StepTable& steps);
OptimizerOptions optimizer_of(const Config& config);
RuleOptions rules_of(const Config& config);
/// @param class_counts of the training data, for class weights; empty: none are made
/// @param device where the weights lie
LossOptions loss_of(const Config& config, const std::vector<std::uint64_t>& class_counts,
                    const at::Device& device);
/// Without what depends on data, the teacher and the class weights. @param ranks that share the
/// shards
TrainingStepOptions step_options_of(const Config& config, int ranks);

}  // namespace casvit::trainer
