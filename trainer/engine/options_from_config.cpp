#include "trainer/engine/options_from_config.h"

#include <algorithm>
#include <cmath>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

dataio::Interpolation interpolation_of(const Config& config) {
  return config.augment.interpolation == "bilinear" ? dataio::Interpolation::kBilinear
                                                    : dataio::Interpolation::kBicubic;
}

}  // namespace

dataio::Normalization normalization_of(const Config& config, const dataio::Dataset& train) {
  dataio::Normalization normalization = train.normalization();
  for (std::size_t c = 0; c < 3; ++c) {
    if (config.data.mean) {
      normalization.mean[c] = static_cast<float>((*config.data.mean)[c]);
    }
    if (config.data.std) {
      normalization.std[c] = static_cast<float>((*config.data.std)[c]);
    }
  }
  return normalization;
}

dataio::TrainTransformOptions train_transform_of(const Config& config,
                                                 const dataio::Normalization& normalization) {
  dataio::TrainTransformOptions options;
  options.image_size = config.model.image_size;
  options.crop_scale = config.augment.crop_scale;
  options.crop_ratio = config.augment.crop_ratio;
  options.interpolation = interpolation_of(config);
  options.horizontal_flip = config.augment.horizontal_flip;
  options.vertical_flip = config.augment.vertical_flip;
  options.rand_augment = config.augment.rand_augment;
  options.brightness = config.augment.brightness;
  options.contrast = config.augment.contrast;
  options.saturation = config.augment.saturation;
  options.hue = config.augment.hue;
  options.cutout_holes = config.augment.cutout_holes;
  options.cutout_length = config.augment.cutout_length;
  options.normalization = normalization;
  dataio::validate(options);
  return options;
}

dataio::EvalTransformOptions eval_transform_of(const Config& config,
                                               const dataio::Normalization& normalization) {
  dataio::EvalTransformOptions options;
  options.image_size = config.model.image_size;
  options.crop_ratio = config.augment.eval_crop_ratio;
  options.interpolation = interpolation_of(config);
  options.normalization = normalization;
  dataio::validate(options);
  return options;
}

dataio::MixupOptions mixup_of(const Config& config, int num_classes) {
  dataio::MixupOptions options;
  options.mixup_alpha = config.mixup.mixup_alpha;
  options.cutmix_alpha = config.mixup.cutmix_alpha;
  options.cutmix_minmax = config.mixup.cutmix_minmax;
  options.prob = config.mixup.prob;
  options.switch_prob = config.mixup.switch_prob;
  options.mode = config.mixup.mode == "pair"   ? dataio::MixupMode::kPair
                 : config.mixup.mode == "elem" ? dataio::MixupMode::kElem
                                               : dataio::MixupMode::kBatch;
  options.correct_lam = config.mixup.correct_lam;
  options.label_smoothing = config.loss.label_smoothing;
  options.num_classes = num_classes;
  dataio::validate(options, config.batch.shard_size);
  return options;
}

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

CosineScheduleOptions schedule_of(const Config& config, std::int64_t steps_per_epoch) {
  CosineScheduleOptions options;
  options.peak = config.optimizer.learning_rate;
  options.minimum = config.schedule.minimum;
  options.warmup_start = config.schedule.warmup_start;
  options.total_steps = config.train.epochs * steps_per_epoch;
  options.warmup_steps =
      std::llround(config.schedule.warmup_epochs * static_cast<double>(steps_per_epoch));
  return options;
}

}  // namespace casvit::trainer
