// The whole training transform: what keys mean, and that its parts come in the documented order.
#include "dataio/augment/transform.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "dataio/augment/color_jitter.h"
#include "dataio/augment/cutout.h"
#include "dataio/augment/flip.h"
#include "dataio/augment/normalize.h"
#include "dataio/augment/rand_augment.h"
#include "dataio/augment/random_resized_crop.h"
#include "dataio/augment/three_augment.h"
#include "dataio/error.h"
#include "tests/dataio/synthetic_picture.h"

namespace casvit::dataio {
namespace {

using testing::synthetic_picture;

TrainTransformOptions everything() {
  TrainTransformOptions options;
  options.image_size = 32;
  options.vertical_flip = 0.5;
  options.rand_augment = "rand-m9-mstd0.5-inc1";
  options.brightness = options.contrast = options.saturation = 0.4;
  options.hue = 0.1;
  options.cutout_holes = 2;
  options.cutout_length = 9;
  options.erasing.probability = 0.6;
  options.erasing.max_count = 2;
  return options;
}

std::vector<float> transformed(const Image& image, const TrainTransformOptions& options,
                               const AugmentKey& key) {
  std::vector<float> out(static_cast<std::size_t>(options.image_size) *
                         static_cast<std::size_t>(options.image_size) * 3);
  train_transform(image, options, key, out.data());
  return out;
}

TEST(TrainTransform, IsAFunctionOfItsKey) {
  const Image image = synthetic_picture(50, 70, 2);
  const auto options = everything();
  const auto first = transformed(image, options, {1, 2, 3});
  EXPECT_EQ(first, transformed(image, options, {1, 2, 3}));
  EXPECT_NE(first, transformed(image, options, {2, 2, 3}));
  EXPECT_NE(first, transformed(image, options, {1, 3, 3}));
  EXPECT_NE(first, transformed(image, options, {1, 2, 4}));
}

/// The documented order, from the parts' public functions, without the fusing that
/// train_transform does.
std::vector<float> step_by_step(const Image& image, const TrainTransformOptions& options,
                                const AugmentKey& key) {
  const auto stream = [&](RandomUse use) {
    return CounterRng(key.seed, use, key.epoch, key.sample);
  };
  CounterRng crop_rng = stream(RandomUse::kRandomResizedCrop);
  const CropBox crop = draw_random_resized_crop(image.height, image.width, options.crop_scale,
                                                options.crop_ratio, crop_rng);
  Image cut;
  cut.height = crop.height;
  cut.width = crop.width;
  for (int y = 0; y < crop.height; ++y) {
    const std::uint8_t* row = image.row(crop.top + y) + static_cast<std::ptrdiff_t>(crop.left) * 3;
    cut.pixels.insert(cut.pixels.end(), row, row + cut.row_bytes());
  }
  CounterRng interpolation_rng = stream(RandomUse::kInterpolation);
  const auto next_interpolation = [&] {
    if (!options.random_interpolation) return options.interpolation;
    return interpolation_rng.below(2) == 0 ? Interpolation::kBilinear : Interpolation::kBicubic;
  };
  Image picture;
  resize(cut, options.image_size, options.image_size, next_interpolation(), picture);
  if (stream(RandomUse::kHorizontalFlip).uniform() < options.horizontal_flip) {
    flip_horizontally(picture);
  }
  if (stream(RandomUse::kVerticalFlip).uniform() < options.vertical_flip) flip_vertically(picture);
  if (!options.rand_augment.empty()) {
    CounterRng rng = stream(RandomUse::kRandAugment);
    for (const auto& step : draw_rand_augment(parse_rand_augment(options.rand_augment), rng)) {
      apply_rand_augment(picture, step, {next_interpolation(), {124, 116, 104}});
    }
  }
  if (options.three_augment) {
    CounterRng rng = stream(RandomUse::kThreeAugment);
    apply_three_augment(picture, draw_three_augment(rng));
  }
  CounterRng jitter_rng = stream(RandomUse::kColorJitter);
  apply_color_jitter(picture, draw_color_jitter(options, jitter_rng));
  std::vector<float> out(picture.pixels.size());
  normalize(picture, options.normalization, {}, out.data());
  CounterRng cutout_rng = stream(RandomUse::kCutout);
  for (int hole = 0; hole < options.cutout_holes; ++hole) {
    apply_cutout(out.data(), options.image_size,
                 draw_cutout(options.image_size, options.cutout_length, cutout_rng));
  }
  CounterRng erasing_rng = stream(RandomUse::kRandomErasing);
  for (const ErasedBox& box :
       draw_random_erasing(options.erasing, options.image_size, erasing_rng)) {
    erase_box(out.data(), options.image_size, box,
              draw_erased_values(options.erasing.mode, box, erasing_rng));
  }
  return out;
}

TEST(TrainTransform, EqualsItsPartsInTheirOrder) {
  const Image image = synthetic_picture(50, 70, 2);
  auto without_rand_augment = everything();
  without_rand_augment.rand_augment.clear();
  auto with_three_augment = without_rand_augment;
  with_three_augment.three_augment = true;
  with_three_augment.erasing.mode = ErasingMode::kRand;
  auto with_random_interpolation = everything();
  with_random_interpolation.random_interpolation = true;
  with_random_interpolation.erasing.mode = ErasingMode::kConst;
  for (std::uint64_t sample = 0; sample < 40; ++sample) {
    const AugmentKey key = {9, 1, sample};
    for (const auto& options :
         {everything(), without_rand_augment, with_three_augment, with_random_interpolation}) {
      EXPECT_EQ(transformed(image, options, key), step_by_step(image, options, key)) << sample;
    }
  }
}

TEST(TrainTransform, FlipsWithTheirProbability) {
  TrainTransformOptions options;
  options.image_size = 8;
  options.crop_scale = {1, 1};
  options.crop_ratio = {1, 1};
  options.horizontal_flip = 0.25;
  const Image image = synthetic_picture(8, 8, 0);
  Image mirrored = image;
  flip_horizontally(mirrored);
  std::vector<float> plain(image.pixels.size());
  std::vector<float> flipped(image.pixels.size());
  normalize(image, options.normalization, {}, plain.data());
  normalize(mirrored, options.normalization, {}, flipped.data());
  int flips = 0;
  for (std::uint64_t sample = 0; sample < 4000; ++sample) {
    const auto out = transformed(image, options, {1, 0, sample});
    if (out == flipped) {
      ++flips;
    } else {
      ASSERT_EQ(out, plain);
    }
  }
  EXPECT_NEAR(flips / 4000.0, 0.25, 0.03);
}

/// Every value of every channel, at every place of a vector, mirrored and not, in both paths.
TEST(Normalizer, GivesTheQuotientsBitsForEveryValue) {
  CounterRng rng(5, RandomUse::kBootstrap, 0, 0);
  int vectorised = 0;
  for (int attempt = 0; attempt < 60; ++attempt) {
    Normalization normalization;  // ImageNet's first
    for (std::size_t c = 0; c < 3 && attempt > 0; ++c) {
      normalization.mean[c] = static_cast<float>(rng.uniform(0, 1));
      normalization.std[c] = static_cast<float>(rng.uniform(0.05, 1));
    }
    const Normalizer normalizer(normalization);
    vectorised += normalizer.vectorised() ? 1 : 0;
    std::vector<std::uint8_t> pixels;
    for (std::size_t i = 0; i < 256 * 3 + 9; ++i) {
      pixels.push_back(static_cast<std::uint8_t>(i / 3 + i % 3 * 7));
    }
    const std::size_t count = pixels.size() / 3;
    for (const bool mirrored : {false, true}) {
      std::vector<float> out(pixels.size());
      std::vector<float> portable(pixels.size());
      normalizer.row(pixels.data(), count, mirrored, out.data());
      Normalizer::finish();
      normalizer.row_portable(pixels.data(), count, mirrored, portable.data());
      for (std::size_t i = 0; i < out.size(); ++i) {
        const std::size_t pixel = mirrored ? count - 1 - i / 3 : i / 3;
        const std::size_t c = i % 3;
        const float scaled = static_cast<float>(pixels[pixel * 3 + c]) / 255.0F;
        const float expected = (scaled - normalization.mean[c]) / normalization.std[c];
        ASSERT_EQ(std::memcmp(&expected, &out[i], sizeof expected), 0) << i;
        ASSERT_EQ(std::memcmp(&expected, &portable[i], sizeof expected), 0) << i;
      }
    }
  }
#if defined(__x86_64__)
  // Otherwise the loop above would compare the table with itself.
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    EXPECT_GT(vectorised, 55);
  }
#endif
}

/// Transforms ask for one rectangle, and get along with it alone.
TEST(TrainTransform, DecodesItsCropAlone) {
  const Image image = synthetic_picture(90, 70, 2);
  TransformScratch scratch;
  TrainTransformOptions options;
  options.image_size = 40;
  std::vector<float> out(40 * 40 * 3);
  for (std::uint64_t sample = 0; sample < 30; ++sample) {
    const AugmentKey key = {3, 0, sample};
    PixelBox asked;
    int calls = 0;
    Image part;
    const PictureSource source = {image.height, image.width, [&](const PixelBox& box) {
                                    asked = box;
                                    ++calls;
                                    part = {box.height, box.width, {}};
                                    for (int y = 0; y < box.height; ++y) {
                                      const auto left = std::ptrdiff_t{box.left} * 3;
                                      const auto* row = image.row(box.top + y) + left;
                                      part.pixels.insert(part.pixels.end(), row,
                                                         row + part.row_bytes());
                                    }
                                    return ImageView(part);
                                  }};
    train_transform(source, options, key, scratch, out.data());
    EXPECT_EQ(calls, 1);
    CounterRng rng(key.seed, RandomUse::kRandomResizedCrop, key.epoch, key.sample);
    EXPECT_EQ(asked, draw_random_resized_crop(image.height, image.width, options.crop_scale,
                                              options.crop_ratio, rng));
    EXPECT_EQ(out, transformed(image, options, key));
  }
}

TEST(Cutout, CentresAnywhereAndCutsAtBorders) {
  const auto hole = [](int size, int length, int y, int x) {
    const CutoutHole cut = cutout_hole(size, length, y, x);
    return std::array<int, 4>{cut.top, cut.bottom, cut.left, cut.right};
  };
  EXPECT_EQ(hole(32, 8, 10, 20), (std::array<int, 4>{6, 14, 16, 24}));
  EXPECT_EQ(hole(32, 9, 10, 20), (std::array<int, 4>{6, 14, 16, 24}));  // as the original: 9 / 2
  EXPECT_EQ(hole(32, 8, 0, 31), (std::array<int, 4>{0, 4, 27, 32}));
  EXPECT_EQ(hole(32, 100, 5, 5), (std::array<int, 4>{0, 32, 0, 32}));
  EXPECT_EQ(hole(32, 0, 5, 5), (std::array<int, 4>{5, 5, 5, 5}));

  std::vector<int> tops(16);
  for (std::uint64_t sample = 0; sample < 16000; ++sample) {
    CounterRng rng(1, RandomUse::kCutout, 0, sample);
    const CutoutHole cut = draw_cutout(16, 2, rng);
    ++tops.at(static_cast<std::size_t>(cut.bottom) - 1);
  }
  for (const int count : tops) EXPECT_NEAR(count, 1000, 160);
}

TEST(Cutout, WritesZerosInTheHoleAlone) {
  std::vector<float> image(10 * 10 * 3, 1.0F);
  apply_cutout(image.data(), 10, {2, 5, 7, 10});
  for (std::size_t y = 0; y < 10; ++y) {
    for (std::size_t x = 0; x < 10; ++x) {
      const float expected = y >= 2 && y < 5 && x >= 7 ? 0.0F : 1.0F;
      for (std::size_t c = 0; c < 3; ++c) ASSERT_EQ(image[(y * 10 + x) * 3 + c], expected);
    }
  }
}

TEST(Flip, MirrorsAndUndoesItself) {
  for (const int side : {1, 2, 7}) {
    const Image image = synthetic_picture(side, side + 1, 0);
    Image turned = image;
    flip_horizontally(turned);
    flip_vertically(turned);
    for (std::size_t i = 0; i < image.pixels.size() / 3; ++i) {
      const std::size_t j = image.pixels.size() / 3 - 1 - i;
      ASSERT_TRUE(
          std::equal(&image.pixels[i * 3], &image.pixels[i * 3] + 3, &turned.pixels[j * 3]));
    }
    flip_vertically(turned);
    flip_horizontally(turned);
    EXPECT_EQ(turned.pixels, image.pixels);
  }
}

TEST(TrainTransformOptions, RefusesWhatCannotBe) {
  EXPECT_NO_THROW(validate(everything()));
  const std::vector<std::function<void(TrainTransformOptions&)>> faults = {
      [](auto& o) { o.image_size = 0; },
      [](auto& o) {
        o.crop_scale = {0, 1};
      },
      [](auto& o) {
        o.crop_scale = {0.5, 1.5};
      },
      [](auto& o) {
        o.crop_scale = {0.9, 0.5};
      },
      [](auto& o) {
        o.crop_ratio = {0, 1};
      },
      [](auto& o) {
        o.crop_ratio = {2, 1};
      },
      [](auto& o) { o.horizontal_flip = 1.5; },
      [](auto& o) { o.vertical_flip = -0.1; },
      [](auto& o) { o.vertical_flip = std::nan(""); },
      [](auto& o) { o.rand_augment = "rand-q1"; },
      [](auto& o) { o.brightness = -1; },
      [](auto& o) { o.contrast = std::nan(""); },
      [](auto& o) { o.saturation = -1; },
      [](auto& o) { o.hue = 0.6; },
      [](auto& o) { o.cutout_holes = -1; },
      [](auto& o) { o.cutout_length = -1; },
      [](auto& o) { o.three_augment = true; },  // beside rand_augment
      [](auto& o) { o.erasing.probability = 1.01; },
      [](auto& o) { o.erasing.max_count = 0; },
      [](auto& o) {
        o.erasing.area = {0.0, 0.3};
      },
      [](auto& o) {
        o.erasing.area = {0.3, 1.1};
      },
      [](auto& o) {
        o.erasing.aspect = {2, 1};
      },
      [](auto& o) {
        o.erasing.aspect = {0, 1};
      },
      [](auto& o) { o.normalization.std[1] = 0; },
      [](auto& o) { o.normalization.mean[1] = std::nanf(""); },
  };
  for (std::size_t i = 0; i < faults.size(); ++i) {
    auto options = everything();
    faults[i](options);
    EXPECT_THROW(validate(options), UsageError) << "fault " << i;
  }
}

TEST(EvalTransformOptions, RefusesWhatCannotBe) {
  EXPECT_NO_THROW(validate(EvalTransformOptions{}));
  for (const double ratio : {0.0, -1.0, 1.1, 1e-9, std::nan("")}) {
    EvalTransformOptions options;
    options.crop_ratio = ratio;
    EXPECT_THROW(validate(options), UsageError) << ratio;
  }
  EvalTransformOptions options;
  options.image_size = 0;
  EXPECT_THROW(validate(options), UsageError);
}

}  // namespace
}  // namespace casvit::dataio
