#include "launch/preflight/clock_skew.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace casvit::launch {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

TEST(ClockSkew, IsMeasuredFromTheMiddleOfTheRoundTrip) {
  const ClockRound round{
      .asked = 1000 * kMillisecond,
      .clocks = {1000 * kMillisecond, 1001 * kMillisecond, 6001 * kMillisecond, 501 * kMillisecond},
      .answered = 1002 * kMillisecond};
  const auto skews = clock_skews({round});
  ASSERT_EQ(skews.size(), 4U);
  EXPECT_EQ(skews[0].seconds, 0);
  EXPECT_EQ(skews[0].uncertainty_seconds, 0);
  EXPECT_DOUBLE_EQ(skews[1].seconds, 0);
  EXPECT_DOUBLE_EQ(skews[2].seconds, 5);
  EXPECT_DOUBLE_EQ(skews[3].seconds, -0.5);
  for (std::size_t i = 1; i < skews.size(); ++i) {
    EXPECT_DOUBLE_EQ(skews[i].uncertainty_seconds, 0.001);
  }
}

TEST(ClockSkew, OfTheShortestRoundCounts) {
  const ClockRound slow{.asked = 0, .clocks = {0, 90}, .answered = 100};
  const ClockRound quick{.asked = 1000, .clocks = {1000, 1005}, .answered = 1010};
  const auto skews = clock_skews({slow, quick, slow});
  EXPECT_DOUBLE_EQ(skews[1].seconds, 0);
  EXPECT_DOUBLE_EQ(skews[1].uncertainty_seconds, 5e-9);
}

/// Whenever within the round the clock was read, the truth lies within the uncertainty.
TEST(ClockSkew, HoldsWhateverTheDelays) {
  std::mt19937_64 random(7);
  const auto below = [&](std::int64_t limit) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(limit));
  };
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t true_skew = below(4'000'000'000) - 2'000'000'000;
    const std::int64_t asked = 1'700'000'000'000'000'000 + below(1'000'000'000);
    const std::int64_t there = below(50 * kMillisecond);
    const std::int64_t back = below(50 * kMillisecond);
    const ClockRound round{.asked = asked,
                           .clocks = {asked, asked + there + true_skew},
                           .answered = asked + there + back};
    const ClockSkew skew = clock_skews({round})[1];
    EXPECT_LE(std::abs(skew.seconds - static_cast<double>(true_skew) * 1e-9),
              skew.uncertainty_seconds + 1e-8);
  }
}

}  // namespace
}  // namespace casvit::launch
