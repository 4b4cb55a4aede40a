// What the keys of augmentation and mixup mean to dataio: each one arrives.

#include "trainer/config/data_options.h"

#include <gtest/gtest.h>

namespace casvit::trainer {
namespace {

TEST(DataOptions, EveryKeyOfAugmentationArrives) {
  const Config config = parse_config(R"(
model: {image_size: 96}
augment:
  crop_scale: [0.3, 0.9]
  crop_ratio: [0.5, 2]
  interpolation: bilinear
  horizontal_flip: 0.1
  vertical_flip: 0.2
  three_augment: true
  brightness: 0.3
  contrast: 0.4
  saturation: 0.5
  hue: 0.05
  cutout_holes: 2
  cutout_length: 7
  erase_prob: 0.6
  erase_mode: rand
  erase_count: 3
  erase_area: [0.03, 0.4]
  erase_aspect: [0.2, 4]
)",
                                     "f", {});
  const dataio::Normalization normalization{{0.1F, 0.2F, 0.3F}, {0.4F, 0.5F, 0.6F}};
  const auto options = train_transform_of(config, normalization);
  EXPECT_EQ(options.image_size, 96);
  EXPECT_EQ(options.crop_scale, (std::array{0.3, 0.9}));
  EXPECT_EQ(options.crop_ratio, (std::array{0.5, 2.0}));
  EXPECT_EQ(options.interpolation, dataio::Interpolation::kBilinear);
  EXPECT_FALSE(options.random_interpolation);
  EXPECT_EQ(options.horizontal_flip, 0.1);
  EXPECT_EQ(options.vertical_flip, 0.2);
  EXPECT_TRUE(options.three_augment);
  EXPECT_EQ(options.brightness, 0.3);
  EXPECT_EQ(options.contrast, 0.4);
  EXPECT_EQ(options.saturation, 0.5);
  EXPECT_EQ(options.hue, 0.05);
  EXPECT_EQ(options.cutout_holes, 2);
  EXPECT_EQ(options.cutout_length, 7);
  EXPECT_EQ(options.erasing.probability, 0.6);
  EXPECT_EQ(options.erasing.mode, dataio::ErasingMode::kRand);
  EXPECT_EQ(options.erasing.max_count, 3);
  EXPECT_EQ(options.erasing.area, (std::array{0.03, 0.4}));
  EXPECT_EQ(options.erasing.aspect, (std::array{0.2, 4.0}));
  EXPECT_EQ(options.normalization.mean, normalization.mean);
  EXPECT_EQ(options.normalization.std, normalization.std);
}

TEST(DataOptions, EveryWordArrives) {
  const auto options_with = [](const char* key, const char* value) {
    return train_transform_of(parse_config("", "f", {{key, value}}), {});
  };
  EXPECT_EQ(options_with("augment.rand_augment", "rand-m7").rand_augment, "rand-m7");
  EXPECT_TRUE(options_with("augment.interpolation", "random").random_interpolation);
  EXPECT_EQ(options_with("augment.interpolation", "bicubic").interpolation,
            dataio::Interpolation::kBicubic);
  EXPECT_EQ(options_with("augment.erase_mode", "const").erasing.mode, dataio::ErasingMode::kConst);
  EXPECT_EQ(options_with("augment.erase_mode", "pixel").erasing.mode, dataio::ErasingMode::kPixel);
  for (const auto& [word, mode] :
       {std::pair{"batch", dataio::MixupMode::kBatch}, std::pair{"pair", dataio::MixupMode::kPair},
        std::pair{"elem", dataio::MixupMode::kElem}}) {
    EXPECT_EQ(mixup_of(parse_config("", "f", {{"mixup.mode", word}}), 4).mode, mode);
  }
}

TEST(DataOptions, EvaluationIsNeverRandom) {
  const Config config = parse_config(
      "model: {image_size: 64}\naugment: {interpolation: random, eval_crop_ratio: 0.9}", "f", {});
  const auto options = eval_transform_of(config, {});
  EXPECT_EQ(options.image_size, 64);
  EXPECT_EQ(options.crop_ratio, 0.9);
  EXPECT_EQ(options.interpolation, dataio::Interpolation::kBicubic);
}

TEST(DataOptions, EveryKeyOfMultiScaleArrives) {
  const auto table_with = [](const char* rule) {
    return step_table_of(
        parse_config("model: {image_size: 128}\nbatch: {shards: 2, shard_size: 6}\n"
                     "train: {epochs: 9, seed: 3}\n"
                     "multi_scale: {min_size: 96, max_size: 192, divisor: 48}",
                     "f", {{"multi_scale.rule", rule}}),
        1234);
  };
  const auto options = table_with("pixels");
  EXPECT_EQ(options.samples, 1234);
  EXPECT_EQ(options.shards, 2);
  EXPECT_EQ(options.shard_size, 6);
  EXPECT_EQ(options.image_size, 128);
  EXPECT_EQ(options.epochs, 9);
  EXPECT_EQ(options.seed, 3U);
  ASSERT_TRUE(options.multi_scale);
  EXPECT_EQ(options.multi_scale->rule, dataio::MultiScaleRule::kPixels);
  EXPECT_EQ(options.multi_scale->min_size, 96);
  EXPECT_EQ(options.multi_scale->max_size, 192);
  EXPECT_EQ(options.multi_scale->divisor, 48);
  EXPECT_EQ(table_with("published").multi_scale->rule, dataio::MultiScaleRule::kPublished);
  EXPECT_FALSE(table_with("off").multi_scale);
}

TEST(DataOptions, EveryKeyOfMixupArrives) {
  const Config config = parse_config(R"(
batch: {shard_size: 8}
loss: {label_smoothing: 0.15}
mixup:
  mixup_alpha: 0.7
  cutmix_alpha: 0.9
  cutmix_minmax: [0.2, 0.8]
  prob: 0.5
  switch_prob: 0.4
  correct_lam: false
)",
                                     "f", {});
  const auto options = mixup_of(config, 17);
  EXPECT_EQ(options.mixup_alpha, 0.7);
  EXPECT_EQ(options.cutmix_alpha, 0.9);
  EXPECT_EQ(options.cutmix_minmax, (std::array{0.2, 0.8}));
  EXPECT_EQ(options.prob, 0.5);
  EXPECT_EQ(options.switch_prob, 0.4);
  EXPECT_FALSE(options.correct_lam);
  EXPECT_EQ(options.label_smoothing, 0.15);
  EXPECT_EQ(options.num_classes, 17);
}

}  // namespace
}  // namespace casvit::trainer
