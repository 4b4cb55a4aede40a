#pragma once

#include "dataio/augment/mixup.h"
#include "dataio/augment/transform.h"
#include "dataio/container/dataset.h"
#include "dataio/loader/loader.h"
#include "dataio/loader/step_table.h"
#include "dataio/random/sample_order.h"
#include "trainer/config/config.h"

// The configuration in the terms of dataio.

namespace casvit::trainer {

dataio::DatasetOptions dataset_options_of(const Config& config);
/// `data.mean` and `data.std` where given, else what the training data carry.
dataio::Normalization normalization_of(const Config& config, const dataio::Dataset& train);
dataio::TrainTransformOptions train_transform_of(const Config& config,
                                                 const dataio::Normalization& normalization);
dataio::EvalTransformOptions eval_transform_of(const Config& config,
                                               const dataio::Normalization& normalization);
dataio::MixupOptions mixup_of(const Config& config, int num_classes);
/// What a loader does in training. @param num_classes of the model
dataio::Loader::Training loader_training_of(const Config& config,
                                            const dataio::Normalization& normalization,
                                            int num_classes);
/// `data.loader_threads` where given, else `derived`.
int loader_threads_of(const Config& config, int derived);
dataio::SampleOrder sample_order_of(const Config& config, const dataio::Dataset& train);
dataio::StepTableOptions step_table_of(const Config& config, std::uint64_t samples);

}  // namespace casvit::trainer
