#pragma once

#include <string>
#include <vector>

#include "dataio/augment/transform.h"
#include "dataio/container/dataset.h"
#include "launch/world.h"
#include "trainer/checkpoint/weights.h"
#include "trainer/config/config.h"
#include "trainer/engine/model_file.h"
#include "trainer/model/rcvit.h"

namespace casvit::trainer {

/// Which weights are evaluated, and how.
struct ContenderOptions {
  std::string checkpoint;
  WeightsChoice use = WeightsChoice::kAuto;
  std::vector<Override> overrides;  ///< for what the checkpoint does not say, or to change it
  std::string option = "--set";     ///< that gives overrides, for messages
};

/// The description of a checkpoint whose preprocessing is known as far as packed data do not carry
/// it themselves. @throws CheckpointError; ConfigError
ModelDescription describe_contender(const ContenderOptions& options);

/// A checkpoint, or a file of weights, ready to be evaluated on packed data.
struct Contender {
  dataio::Dataset data;  ///< as its preprocessing wants it read
  Rcvit model;
  bool is_ema = false;
  dataio::EvalTransformOptions transform;
  std::string name;  ///< "best.safetensors: rcvit_xs at 128 px, EMA weights"
};

/// Opens the data, which must have the checkpoint's classes, and fills the model. Collective: all
/// ranks must see the same data.
/// @throws ConfigError where the data's classes are not the checkpoint's; CheckpointError;
/// InputError
Contender prepare_contender(const ContenderOptions& options, const ModelDescription& description,
                            const std::vector<std::string>& data, const at::Device& device,
                            launch::World& world);

}  // namespace casvit::trainer
