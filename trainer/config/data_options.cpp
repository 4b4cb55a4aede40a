#include "trainer/config/data_options.h"

namespace casvit::trainer {
namespace {

dataio::Interpolation interpolation_of(const Config& config) {
  return config.augment.interpolation == "bilinear" ? dataio::Interpolation::kBilinear
                                                    : dataio::Interpolation::kBicubic;
}

dataio::RandomErasingOptions erasing_of(const Config::Augment& augment) {
  dataio::RandomErasingOptions options;
  options.probability = augment.erase_prob;
  options.mode = augment.erase_mode == "const"  ? dataio::ErasingMode::kConst
                 : augment.erase_mode == "rand" ? dataio::ErasingMode::kRand
                                                : dataio::ErasingMode::kPixel;
  options.max_count = augment.erase_count;
  options.area = augment.erase_area;
  options.aspect = augment.erase_aspect;
  return options;
}

}  // namespace

dataio::DatasetOptions dataset_options_of(const Config& config) {
  return {.apply_orientation = config.data.apply_orientation,
          .hash_checks = config.data.verify == "always" ? dataio::HashChecks::kAlways
                                                        : dataio::HashChecks::kFirstRead};
}

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
  options.random_interpolation = config.augment.interpolation == "random";
  options.horizontal_flip = config.augment.horizontal_flip;
  options.vertical_flip = config.augment.vertical_flip;
  options.rand_augment = config.augment.rand_augment;
  options.three_augment = config.augment.three_augment;
  options.brightness = config.augment.brightness;
  options.contrast = config.augment.contrast;
  options.saturation = config.augment.saturation;
  options.hue = config.augment.hue;
  options.cutout_holes = config.augment.cutout_holes;
  options.cutout_length = config.augment.cutout_length;
  options.erasing = erasing_of(config.augment);
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

dataio::Loader::Training loader_training_of(const Config& config,
                                            const dataio::Normalization& normalization,
                                            int num_classes) {
  return {train_transform_of(config, normalization), mixup_of(config, num_classes),
          config.train.seed, static_cast<std::uint64_t>(config.mixup.off_epoch),
          config.data.on_corrupt == "replace"};
}

int loader_threads_of(const Config& config, int derived) {
  return config.data.loader_threads > 0 ? config.data.loader_threads : derived;
}

dataio::SampleOrder sample_order_of(const Config& config, const dataio::Dataset& train) {
  return config.data.order == "balanced"
             ? dataio::SampleOrder::balanced(config.train.seed, train.copy_labels(),
                                             train.num_classes())
             : dataio::SampleOrder::shuffled(config.train.seed, train.size());
}

dataio::StepTableOptions step_table_of(const Config& config, std::uint64_t samples) {
  dataio::StepTableOptions options;
  options.samples = static_cast<std::int64_t>(samples);
  options.shards = config.batch.shards;
  options.shard_size = config.batch.shard_size;
  options.image_size = config.model.image_size;
  options.epochs = config.train.epochs;
  options.seed = config.train.seed;
  if (config.multi_scale.rule != "off") {
    options.multi_scale = dataio::MultiScaleOptions{
        config.multi_scale.rule == "published" ? dataio::MultiScaleRule::kPublished
                                               : dataio::MultiScaleRule::kPixels,
        config.multi_scale.min_size, config.multi_scale.max_size, config.multi_scale.divisor};
  }
  return options;
}

}  // namespace casvit::trainer
