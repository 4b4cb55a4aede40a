#pragma once

#include "dataio/augment/mixup.h"
#include "dataio/augment/transform.h"
#include "dataio/container/dataset.h"
#include "trainer/config/config.h"
#include "trainer/model/rcvit.h"
#include "trainer/optim/schedule.h"

// The configuration in the terms of the parts that carry it out.

namespace casvit::trainer {

/// `data.mean` and `data.std` where given, else what the training data carry.
dataio::Normalization normalization_of(const Config& config, const dataio::Dataset& train);
dataio::TrainTransformOptions train_transform_of(const Config& config,
                                                 const dataio::Normalization& normalization);
dataio::EvalTransformOptions eval_transform_of(const Config& config,
                                               const dataio::Normalization& normalization);
dataio::MixupOptions mixup_of(const Config& config, int num_classes);
/// @throws ConfigError for an unknown `model.name`, or `model.num_classes` below the data's.
RcvitOptions model_of(const Config& config, int data_classes);
CosineScheduleOptions schedule_of(const Config& config, std::int64_t steps_per_epoch);

}  // namespace casvit::trainer
