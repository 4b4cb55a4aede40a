#pragma once

#include <string>
#include <vector>

#include "dataio/augment/transform.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/model_metadata.h"
#include "trainer/checkpoint/weights.h"
#include "trainer/config/config.h"
#include "trainer/model/rcvit.h"

namespace casvit::trainer {

/// What a file of weights says of its model: one of our checkpoints, an exported file, or plain
/// weights, of which the tensors' shapes tell the size and the overrides the rest.
struct ModelDescription {
  Config config;  ///< the file's, with its preprocessing and its own model.num_classes, overridden
  /// The training that it came from, as far as the file says; `classes` (in the order of the
  /// logits) and `data_hash` are empty where unknown.
  CheckpointInfo info;
  bool is_ema = false;              ///< an exported file: its only weights are those of an EMA
  std::vector<std::string> unsaid;  ///< keys of preprocessing that neither file nor override says

  /// @param option that says what the file does not
  /// @throws ConfigError naming the keys of `unsaid`, and `path`.
  void require_preprocessing(const std::string& path, const std::string& option = "--set") const;
};

/// Reads the header of `path` alone. @throws CheckpointError; ConfigError for the overrides.
ModelDescription describe_model(const std::string& path, const std::vector<Override>& overrides);

/// A model in float32 on the CPU, ready for `forward`.
struct LoadedModel {
  Rcvit model;
  ModelDescription description;
  bool is_ema = false;

  /// The evaluation transform of the description.
  dataio::EvalTransformOptions transform() const;
  ModelMetadata metadata() const;
  /// The class's name; its number where the file names none.
  std::string class_name(std::int64_t index) const;
};

/// Describes, makes and fills the model. The preprocessing must be known.
/// @throws CheckpointError; ConfigError
LoadedModel load_model(const std::string& path, WeightsChoice use,
                       const std::vector<Override>& overrides);

}  // namespace casvit::trainer
