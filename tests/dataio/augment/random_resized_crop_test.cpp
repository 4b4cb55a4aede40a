#include "dataio/augment/random_resized_crop.h"

#include <gtest/gtest.h>

#include <cmath>

namespace casvit::dataio {
namespace {

constexpr std::array<double, 2> kRatio = {3.0 / 4, 4.0 / 3};

TEST(RandomResizedCrop, TriesRoundAsTorchvision) {
  // sqrt(area * ratio) and sqrt(area / ratio), halves to the even number.
  EXPECT_EQ(crop_of(100, 100, 2500, 1.0), (CropBox{0, 0, 50, 50}));
  EXPECT_EQ(crop_of(100, 100, 6.25, 1.0), (CropBox{0, 0, 2, 2}));   // 2.5
  EXPECT_EQ(crop_of(100, 100, 12.25, 1.0), (CropBox{0, 0, 4, 4}));  // 3.5
  EXPECT_EQ(crop_of(100, 100, 400, 4.0), (CropBox{0, 0, 10, 40}));
  EXPECT_EQ(crop_of(100, 100, 400, 0.25), (CropBox{0, 0, 40, 10}));
  EXPECT_EQ(crop_of(100, 100, 10000, 1.0), (CropBox{0, 0, 100, 100}));
  EXPECT_EQ(crop_of(100, 100, 10000, 1.1), std::nullopt);
  EXPECT_EQ(crop_of(100, 100, 0.1, 1.0), std::nullopt);
}

TEST(RandomResizedCrop, LiesInsideWithAllowedAreaAndRatio) {
  const std::array<double, 2> scale = {0.2, 0.6};
  double area_sum = 0;
  double log_sum = 0;
  for (std::uint64_t sample = 0; sample < 5000; ++sample) {
    CounterRng rng(1, RandomUse::kRandomResizedCrop, 0, sample);
    const CropBox crop = draw_random_resized_crop(400, 500, scale, kRatio, rng);
    ASSERT_GE(crop.top, 0);
    ASSERT_GE(crop.left, 0);
    ASSERT_LE(crop.top + crop.height, 400);
    ASSERT_LE(crop.left + crop.width, 500);
    const double share = crop.height * crop.width / 200000.0;
    ASSERT_NEAR(share, 0.4, 0.2 + 0.01);
    const double ratio = static_cast<double>(crop.width) / crop.height;
    ASSERT_GT(ratio, kRatio[0] - 0.01);
    ASSERT_LT(ratio, kRatio[1] + 0.01);
    area_sum += share;
    log_sum += std::log(ratio);
  }
  EXPECT_NEAR(area_sum / 5000, 0.4, 0.01);
  EXPECT_NEAR(log_sum / 5000, 0.0, 0.01);
}

TEST(RandomResizedCrop, PlacesAreUniform) {
  const std::array<double, 2> quarter = {0.25, 0.25};
  const std::array<double, 2> square = {1, 1};
  std::vector<int> tops(6);
  for (std::uint64_t sample = 0; sample < 12000; ++sample) {
    CounterRng rng(2, RandomUse::kRandomResizedCrop, 0, sample);
    const CropBox crop = draw_random_resized_crop(10, 10, quarter, square, rng);
    ASSERT_EQ(crop.height, 5);
    ++tops.at(static_cast<std::size_t>(crop.top));
  }
  for (const int count : tops) EXPECT_NEAR(count, 2000, 200);
}

TEST(RandomResizedCrop, VeryThinPicturesKeepAPixel) {
  for (const auto& [height, width] : {std::pair{1, 1000}, {1000, 1}, {1, 1}}) {
    CounterRng rng(3, RandomUse::kRandomResizedCrop, 0, 0);
    const CropBox crop = draw_random_resized_crop(height, width, {0.08, 1}, {3.0, 4.0}, rng);
    EXPECT_GE(crop.height, 1);
    EXPECT_GE(crop.width, 1);
    EXPECT_LE(crop.top + crop.height, height);
    EXPECT_LE(crop.left + crop.width, width);
  }
}

}  // namespace
}  // namespace casvit::dataio
