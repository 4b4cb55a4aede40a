#include "trainer/engine/contender.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <utility>

#include "trainer/engine/check_world.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/engine/weights_init.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

/// What a file does not say of classes must be said otherwise.
void refuse_other_classes(const ModelDescription& description, const dataio::Dataset& data,
                          const ContenderOptions& options) {
  const std::string& file = data.files().front();
  if (!description.info.classes.empty() && data.class_names() != description.info.classes) {
    throw ConfigError(file + " has other classes than " + options.checkpoint +
                      " was trained on; pack it from folders with the same class names");
  }
  const bool is_given =
      std::any_of(options.overrides.begin(), options.overrides.end(),
                  [](const Override& given) { return given.key == "model.num_classes"; });
  const int classes = description.config.model.num_classes;
  if (description.info.classes.empty() && data.num_classes() != classes && !is_given) {
    throw ConfigError(file + " has " + std::to_string(data.num_classes()) + " classes, " +
                      options.checkpoint + " has " + std::to_string(classes) +
                      " without names; if the data's are the first of them, say so with " +
                      options.option + " model.num_classes=" + std::to_string(classes));
  }
}

}  // namespace

ModelDescription describe_contender(const ContenderOptions& options) {
  ModelDescription description = describe_model(options.checkpoint, options.overrides);
  // The data carry a normalization.
  std::erase_if(description.unsaid,
                [](const std::string& key) { return key.starts_with("data."); });
  description.require_preprocessing(options.checkpoint, options.option);
  return description;
}

Contender prepare_contender(const ContenderOptions& options, const ModelDescription& description,
                            const std::vector<std::string>& data, const at::Device& device,
                            launch::World& world) {
  const Config& config = description.config;
  dataio::Dataset dataset(data, dataset_options_of(config));
  refuse_other_data(dataset.content_hash(), world);
  refuse_other_classes(description, dataset, options);
  Rcvit model(model_of(config, dataset.num_classes()), at::kFloat, device);
  const bool is_ema =
      load_weights(options.checkpoint, options.use, model.state()).is_ema || description.is_ema;
  dataio::EvalTransformOptions transform =
      eval_transform_of(config, normalization_of(config, dataset));
  const std::string name = options.checkpoint + ": " + config.model.name + " at " +
                           std::to_string(transform.image_size) + " px, " +
                           (is_ema ? "EMA weights" : "model weights");
  return {std::move(dataset), std::move(model), is_ema, std::move(transform), name};
}

}  // namespace casvit::trainer
