// What a learning-rate range test speaks for, on curves whose answer is plain.

#include "trainer/optim/lr_suggestion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace casvit::trainer {
namespace {

/// Rates in equal ratios from 1e-6, five a decade.
double rate(int trial) { return 1e-6 * std::pow(10, trial / 5.0); }

std::vector<LrTrial> trials_of(const std::vector<double>& smoothed) {
  std::vector<LrTrial> trials;
  trials.reserve(smoothed.size());
  for (const double loss : smoothed) {
    trials.push_back({rate(static_cast<int>(trials.size())), loss, loss});
  }
  return trials;
}

/// Flat at 2.5 for ten trials, then down by equal steps to trial 24, then up.
std::vector<double> valley() {
  std::vector<double> losses(10, 2.5);
  for (int i = 1; i <= 15; ++i) losses.push_back(2.5 - 0.1 * i);
  for (int i = 1; i <= 5; ++i) losses.push_back(1 + i);
  return losses;
}

TEST(LrSuggestion, SmoothingCountsNothingBeforeTheStart) {
  std::vector<LrTrial> trials = trials_of({1, 3, 3});
  smooth_losses(trials, 0.5);
  EXPECT_DOUBLE_EQ(trials[0].smoothed, 1);
  EXPECT_DOUBLE_EQ(trials[1].smoothed, (0.25 * 1 + 0.5 * 3) / 0.75);
  EXPECT_DOUBLE_EQ(trials[2].smoothed, (0.125 * 1 + 0.25 * 3 + 0.5 * 3) / 0.875);
}

TEST(LrSuggestion, IsTwoThirdsDownTheFallWhateverCameBefore) {
  const LrSuggestion found = suggest_learning_rate(trials_of(valley()));
  EXPECT_DOUBLE_EQ(found.suggested, rate(9 + 10));  // the fall goes from trial 9 to trial 24
  EXPECT_DOUBLE_EQ(found.lowest_tenth, rate(24) / 10);
}

TEST(LrSuggestion, FindsTheSteepestPlace) {
  std::vector<double> losses = valley();
  losses[14] -= 0.05;
  EXPECT_DOUBLE_EQ(suggest_learning_rate(trials_of(losses)).steepest, rate(14));
}

TEST(LrSuggestion, PassesOverABumpInTheFall) {
  std::vector<double> losses = valley();
  losses[16] += 0.5;
  EXPECT_DOUBLE_EQ(suggest_learning_rate(trials_of(losses)).suggested, rate(9 + 10));
}

TEST(LrSuggestion, LeavesOutWhatIsNotFinite) {
  std::vector<double> losses = valley();
  losses.push_back(std::numeric_limits<double>::infinity());
  losses.push_back(std::numeric_limits<double>::quiet_NaN());
  EXPECT_DOUBLE_EQ(suggest_learning_rate(trials_of(losses)).suggested, rate(9 + 10));
}

TEST(LrSuggestion, OfTooFewStepsIsRefused) {
  EXPECT_THROW(suggest_learning_rate(trials_of({3, 2, 1})), std::invalid_argument);
}

TEST(LrSuggestion, ATestEndsWhereTheLossIsFourTimesTheLeastOrNotFinite) {
  std::vector<double> losses(12, 1.0);
  EXPECT_FALSE(has_blown_up(trials_of(losses)));
  losses.push_back(3.9);
  EXPECT_FALSE(has_blown_up(trials_of(losses)));
  losses.back() = 4.1;
  EXPECT_TRUE(has_blown_up(trials_of(losses)));
  losses.back() = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(has_blown_up(trials_of(losses)));
  EXPECT_FALSE(has_blown_up(trials_of({1, 100})));  // too early to tell
}

}  // namespace
}  // namespace casvit::trainer
