#include "dataio/augment/three_augment.h"

#include <gtest/gtest.h>

#include <array>

namespace casvit::dataio {
namespace {

TEST(ThreeAugment, DrawsEachOperationAlikeAndRadiiUniformly) {
  std::array<int, 3> counts{};
  double sum = 0;
  double largest = 0;
  double smallest = 10;
  for (std::uint64_t sample = 0; sample < 30000; ++sample) {
    CounterRng rng(3, RandomUse::kThreeAugment, 1, sample);
    const ThreeAugmentDraw draw = draw_three_augment(rng);
    ++counts.at(static_cast<std::size_t>(draw.operation));
    if (draw.operation != ThreeAugmentOperation::kBlur) continue;
    sum += draw.blur_radius;
    largest = std::max(largest, draw.blur_radius);
    smallest = std::min(smallest, draw.blur_radius);
  }
  for (const int count : counts) EXPECT_NEAR(count, 10000, 350);
  EXPECT_NEAR(sum / counts[2], 1.05, 0.02);
  EXPECT_LT(largest, 2.0);
  EXPECT_GT(largest, 1.99);
  EXPECT_GE(smallest, 0.1);
  EXPECT_LT(smallest, 0.11);
}

}  // namespace
}  // namespace casvit::dataio
