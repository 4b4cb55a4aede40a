#include "trainer/engine/model_file.h"

#include <ATen/ops/empty.h>
#include <c10/core/TensorOptions.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "trainer/checkpoint/architecture.h"
#include "trainer/checkpoint/checkpoint_metadata.h"
#include "trainer/checkpoint/safetensors_header.h"
#include "trainer/config/data_options.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/engine/weights_init.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

constexpr std::array<const char*, 4> kPreprocessingKeys{
    "model.image_size", "augment.eval_crop_ratio", "data.mean", "data.std"};

/// The weights' shapes under official names: of a checkpoint those of the model or of its average,
/// which are alike; of any other file all.
TensorShapes shapes_of(const SafetensorsHeader& header) {
  TensorShapes of_model;
  TensorShapes all;
  for (const TensorEntry& entry : header.entries) {
    all.emplace(entry.name, entry.shape);
    for (const std::string_view prefix : {"model.", "ema."}) {
      if (entry.name.starts_with(prefix)) {
        of_model.emplace(entry.name.substr(prefix.size()), entry.shape);
      }
    }
  }
  return of_model.empty() ? all : of_model;
}

/// What the tensors themselves tell goes before what is written beside them.
void describe_by_shapes(const SafetensorsHeader& header, const std::string& path, Config& config) {
  const Architecture found = nearest_architecture(shapes_of(header));
  if (!found.match.is_exact() || found.options.features_only) {
    throw CheckpointError(path +
                          " does not hold the weights of a classifier of rcvit_xs, rcvit_s, "
                          "rcvit_m or rcvit_t" +
                          (found.options.features_only
                               ? ": it has no head.weight"
                               : "; beside " + found.name + ":" + describe(found.match)));
  }
  config.model.name = found.name;
  config.model.distillation = found.options.distillation;
  config.model.num_classes = found.options.num_classes;
}

Config config_of(const CheckpointInfo& info, const std::string& path) {
  Config config = parse_config(info.config_yaml, path, {});
  if (!info.normalization_mean.empty()) {
    config.data.mean = parse_normalization(info.normalization_mean, path);
    config.data.std = parse_normalization(info.normalization_std, path);
  }
  return config;
}

std::array<double, 3> doubles(const std::array<float, 3>& values) {
  return {values[0], values[1], values[2]};
}

Config config_of(const ModelMetadata& metadata) {
  Config config;
  const Preprocessing& preprocessing = metadata.preprocessing;
  config.model.name = metadata.architecture;
  config.model.image_size = preprocessing.image_size;
  config.augment.eval_crop_ratio = preprocessing.eval_crop_ratio;
  config.augment.interpolation = preprocessing.interpolation;
  config.data.mean = doubles(preprocessing.mean);
  config.data.std = doubles(preprocessing.std);
  config.data.apply_orientation = preprocessing.apply_orientation;
  return config;
}

/// Values out of range are the file's fault here, not the user's.
const Config& checked(const Config& stored, const std::string& path) {
  try {
    parse_config(to_yaml(stored), path, {});
  } catch (const ConfigError& error) {
    throw CheckpointError(error.what());
  }
  return stored;
}

}  // namespace

void ModelDescription::require_preprocessing(const std::string& path,
                                             const std::string& option) const {
  if (unsaid.empty()) {
    return;
  }
  std::string keys;
  for (const std::string& key : unsaid) {
    keys += (keys.empty() ? "" : ", ") + key;
  }
  std::string published;
  for (const char* setting : {"model.image_size=224", "augment.eval_crop_ratio=0.875",
                              "data.mean=[0.485,0.456,0.406]", "data.std=[0.229,0.224,0.225]"}) {
    published += " " + option + " " + setting;
  }
  throw ConfigError(path + " does not say how its pictures were prepared: " + keys +
                    " is missing. Give each with " + option + "; the published models have" +
                    published);
}

ModelDescription describe_model(const std::string& path, const std::vector<Override>& overrides) {
  const SafetensorsHeader header = read_header(InputFile(path));
  ModelDescription description;
  CheckpointInfo& info = description.info;
  Config stored;
  const std::optional<ModelMetadata> metadata = model_metadata(header.metadata, path);
  description.is_ema = metadata && metadata->weights == "ema";
  const bool is_described = metadata || is_checkpoint(header.metadata);
  if (is_checkpoint(header.metadata)) {
    info = parse_metadata(header, path).info;
    stored = config_of(info, path);
  } else if (metadata) {
    stored = config_of(*metadata);
    info.classes = metadata->classes;
    info.data_hash = metadata->training_data_hash;
  }
  describe_by_shapes(header, path, stored);
  // The world that a checkpoint was trained in is not the one that uses it.
  stored.launch.expect_ranks = 0;
  stored.launch.expect_hosts = 0;
  description.config = parse_config(to_yaml(checked(stored, path)), path, overrides);
  for (const char* key : kPreprocessingKeys) {
    const bool overridden = std::any_of(overrides.begin(), overrides.end(),
                                        [&](const Override& given) { return given.key == key; });
    if (!is_described && !overridden) {
      description.unsaid.emplace_back(key);
    }
  }
  return description;
}

dataio::EvalTransformOptions LoadedModel::transform() const {
  const Config& config = description.config;
  dataio::Normalization normalization;
  for (std::size_t c = 0; c < 3; ++c) {
    normalization.mean[c] = static_cast<float>(config.data.mean.value()[c]);
    normalization.std[c] = static_cast<float>(config.data.std.value()[c]);
  }
  return eval_transform_of(config, normalization);
}

ModelMetadata LoadedModel::metadata() const {
  const Config& config = description.config;
  const dataio::EvalTransformOptions options = transform();
  ModelMetadata metadata;
  metadata.architecture = config.model.name;
  metadata.preprocessing = {
      options.normalization.mean,
      options.normalization.std,
      options.image_size,
      options.crop_ratio,
      options.interpolation == dataio::Interpolation::kBilinear ? "bilinear" : "bicubic",
      config.data.apply_orientation};
  metadata.classes = description.info.classes;
  metadata.weights = is_ema ? "ema" : "model";
  metadata.training_data_hash = description.info.data_hash;
  return metadata;
}

std::string LoadedModel::class_name(std::int64_t index) const {
  const auto place = static_cast<std::size_t>(index);
  const std::vector<std::string>& names = description.info.classes;
  return place < names.size() ? names[place] : std::to_string(index);
}

LoadedModel load_model(const std::string& path, WeightsChoice use,
                       const std::vector<Override>& overrides) {
  ModelDescription description = describe_model(path, overrides);
  description.require_preprocessing(path);
  Rcvit model(model_of(description.config, 0), at::kFloat, at::kCPU);
  const bool is_ema = load_weights(path, use, model.state()).is_ema || description.is_ema;
  return {std::move(model), std::move(description), is_ema};
}

}  // namespace casvit::trainer
