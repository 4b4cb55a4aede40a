// What Random Erasing draws: how often, how large, and with what noise.
#include "dataio/augment/random_erasing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace casvit::dataio {
namespace {

CounterRng stream(std::uint64_t sample) { return {1, RandomUse::kRandomErasing, 0, sample}; }

TEST(RandomErasing, ErasesWithItsProbabilityAndWithinItsRanges) {
  RandomErasingOptions options;
  options.probability = 0.25;
  options.area = {0.1, 0.3};
  options.aspect = {0.5, 2.0};
  int erased = 0;
  double sum_area = 0;
  for (std::uint64_t sample = 0; sample < 20000; ++sample) {
    CounterRng rng = stream(sample);
    const auto boxes = draw_random_erasing(options, 100, rng);
    ASSERT_LE(boxes.size(), 1U);
    if (boxes.empty()) continue;
    ++erased;
    const ErasedBox& box = boxes[0];
    ASSERT_GE(box.top, 0);
    ASSERT_GE(box.left, 0);
    ASSERT_LE(box.top + box.height, 100);
    ASSERT_LE(box.left + box.width, 100);
    const double area = box.height * box.width / 10000.0;
    ASSERT_NEAR(area, 0.2, 0.11);
    const double aspect = static_cast<double>(box.height) / box.width;
    ASSERT_GT(aspect, 0.47);
    ASSERT_LT(aspect, 2.13);
    sum_area += area;
  }
  EXPECT_NEAR(erased / 20000.0, 0.25, 0.012);
  EXPECT_NEAR(sum_area / erased, 0.2, 0.005);
}

TEST(RandomErasing, DrawsEveryNumberOfBoxesAndDividesTheAreaAmongThem) {
  RandomErasingOptions options;
  options.probability = 1;
  options.max_count = 3;
  options.area = {0.3, 0.3};
  std::array<int, 4> counts{};
  for (std::uint64_t sample = 0; sample < 6000; ++sample) {
    CounterRng rng = stream(sample);
    const auto boxes = draw_random_erasing(options, 200, rng);
    ++counts.at(boxes.size());
    for (const ErasedBox& box : boxes) {
      const double area = box.height * box.width / 40000.0;
      ASSERT_NEAR(area, 0.3 / static_cast<double>(boxes.size()), 0.006);
    }
  }
  EXPECT_EQ(counts[0], 0);
  for (const int boxes : {1, 2, 3}) {
    EXPECT_NEAR(counts.at(static_cast<std::size_t>(boxes)), 2000, 180) << boxes;
  }
}

TEST(RandomErasing, PlacesBoxesUpToBothBorders) {
  RandomErasingOptions options;
  options.probability = 1;
  options.area = {0.25, 0.25};
  options.aspect = {1, 1};
  std::vector<int> tops(6);
  for (std::uint64_t sample = 0; sample < 6000; ++sample) {
    CounterRng rng = stream(sample);
    const ErasedBox box = draw_random_erasing(options, 10, rng).at(0);
    ASSERT_EQ(box.height, 5);
    ++tops.at(static_cast<std::size_t>(box.top));
  }
  for (const int count : tops) EXPECT_NEAR(count, 1000, 150);
}

TEST(RandomErasing, GivesUpWhereNothingFits) {
  RandomErasingOptions options;
  options.probability = 1;
  options.area = {1, 1};
  CounterRng rng = stream(0);
  EXPECT_TRUE(draw_random_erasing(options, 50, rng).empty());
}

TEST(RandomErasing, ValuesFollowTheMode) {
  const ErasedBox box{3, 4, 40, 50};
  CounterRng rng = stream(7);
  EXPECT_EQ(draw_erased_values(ErasingMode::kConst, box, rng), std::vector<float>(3, 0.0F));
  EXPECT_EQ(draw_erased_values(ErasingMode::kRand, box, rng).size(), 3U);
  const auto pixels = draw_erased_values(ErasingMode::kPixel, box, rng);
  EXPECT_EQ(pixels.size(), 6000U);
}

TEST(FillNormal, HasTheMomentsAndTailsOfTheStandardNormal) {
  std::vector<float> values(200001);  // odd: the last pair gives one value
  CounterRng rng = stream(11);
  rng.fill_normal(values);
  double moments[4] = {};
  int beyond_two = 0;
  for (const float value : values) {
    const auto x = static_cast<double>(value);
    ASSERT_TRUE(std::isfinite(x));
    double power = x;
    for (double& moment : moments) {
      moment += power / static_cast<double>(values.size());
      power *= x;
    }
    beyond_two += std::abs(x) > 2;
  }
  EXPECT_NEAR(moments[0], 0, 0.012);
  EXPECT_NEAR(moments[1], 1, 0.017);
  EXPECT_NEAR(moments[2], 0, 0.045);
  EXPECT_NEAR(moments[3], 3, 0.12);
  EXPECT_NEAR(beyond_two / static_cast<double>(values.size()), 0.0455, 0.0025);
  double neighbours = 0;
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    neighbours += static_cast<double>(values[i]) * static_cast<double>(values[i + 1]);
  }
  EXPECT_NEAR(neighbours / static_cast<double>(values.size()), 0, 0.012);
}

}  // namespace
}  // namespace casvit::dataio
