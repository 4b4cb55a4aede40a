// Figures that have a closed form, and what happens at the edges: nothing known, everything right.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "made_up_run.h"
#include "trainer/report/bootstrap.h"
#include "trainer/report/calibration.h"
#include "trainer/report/comparison.h"
#include "trainer/report/confusion_order.h"
#include "trainer/report/mistakes.h"

namespace casvit::trainer {
namespace {

TEST(Bootstrap, AgreesWithTheBinomialDistribution) {
  // The number of right answers in a resample is binomial: standard deviation sqrt(p (1 - p) / n).
  const Evaluation evaluation = made_up_evaluation(12, 4000, 0.8, 5);
  const double share = accuracy_of(evaluation).acc1() / 100;
  const double expected = 196 * std::sqrt(share * (1 - share) / 4000);
  const Interval interval = bootstrap_intervals({&evaluation})[0].acc1;
  EXPECT_NEAR(100 * share - interval.low, expected, 0.1 * expected);
  EXPECT_NEAR(interval.high - 100 * share, expected, 0.1 * expected);
}

TEST(Bootstrap, IsTheSameEveryTimeAndDependsOnItsSeed) {
  const Evaluation evaluation = made_up_evaluation(5, 300, 0.7, 5);
  const auto with_seed = [&](std::uint32_t seed) {
    return bootstrap_intervals({&evaluation}, {.seed = seed})[0].macro_f1.low;
  };
  EXPECT_EQ(with_seed(0), with_seed(0));
  EXPECT_NE(with_seed(0), with_seed(1));
}

TEST(Bootstrap, RareClassesThatAResampleMissesAreNoFailures) {
  Evaluation evaluation = made_up_evaluation(100, 100, 1, 5);
  for (std::size_t i = 0; i < 100; ++i) {
    evaluation.label[i] = evaluation.top[i * 5] = static_cast<std::int32_t>(i);
  }
  const BootstrapIntervals intervals = bootstrap_intervals({&evaluation})[0];
  EXPECT_EQ(intervals.macro_f1.low, 1);
  EXPECT_EQ(intervals.acc1.low, 100);
}

TEST(Bootstrap, NothingKnownGivesNothing) {
  Evaluation evaluation = made_up_evaluation(5, 10, 0.7, 5);
  evaluation.label.assign(10, -1);
  EXPECT_EQ(bootstrap_intervals({&evaluation})[0].acc1.high, 0);
}

TEST(Percentile, InterpolatesAsNumpyDoes) {
  EXPECT_EQ(percentile({3}, 97.5), 3);
  EXPECT_EQ(percentile({4, 1, 3, 2}, 50), 2.5);
  EXPECT_DOUBLE_EQ(percentile({1, 2, 3, 4, 5}, 2.5), 1.1);
  EXPECT_EQ(percentile({1, 2}, 100), 2);
}

TEST(Calibration, BinsTakeTheirUpperEnd) {
  Evaluation evaluation;
  evaluation.classes = 2;
  evaluation.top_k = 1;
  evaluation.label = {0, 0, 0, 1, -1};
  evaluation.top = {0, 0, 0, 0, 0};
  evaluation.probability = {0.5F, 0.75F, 1, 0, 1};
  const Calibration calibration = calibration_of(evaluation, 4);
  EXPECT_EQ(calibration.bins[0].count, 1) << "0";
  EXPECT_EQ(calibration.bins[1].count, 1) << "0.5";
  EXPECT_EQ(calibration.bins[2].count, 1) << "0.75";
  EXPECT_EQ(calibration.bins[3].count, 1) << "1, without the unknown one";
  EXPECT_DOUBLE_EQ(calibration.ece, (0.5 + 0.25 + 0 + 0) / 4);
}

TEST(Calibration, ProbabilitiesThatAreNotFiniteAreLeftOut) {
  Evaluation evaluation = made_up_evaluation(3, 20, 0.9, 1);
  evaluation.probability[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isfinite(calibration_of(evaluation).ece));
}

TEST(Mistakes, AreRankedByConfidenceAndByLoss) {
  Evaluation evaluation;
  evaluation.classes = 3;
  evaluation.top_k = 1;
  evaluation.sample = {10, 11, 12, 13, 14};
  evaluation.label = {0, 1, 2, 2, -1};
  evaluation.top = {0, 0, 0, 1, 1};
  evaluation.probability = {0.9F, 0.5F, 0.8F, 0.7F, 1};
  evaluation.loss = {0.1, std::log(4), std::log(10), std::log(100), 9};
  const auto surest = surest_mistakes(evaluation, 5);
  ASSERT_EQ(surest.size(), 3U);
  EXPECT_EQ(surest[0].sample, 12U);
  EXPECT_EQ(surest[2].sample, 11U);
  const auto worst = worst_mistakes(evaluation, 2);
  ASSERT_EQ(worst.size(), 2U);
  EXPECT_EQ(worst[0].sample, 13U);
  EXPECT_NEAR(worst[0].label_probability, 0.01, 1e-12);
}

TEST(ConfusionOrder, ConfusedClassesStandSideBySide) {
  Evaluation evaluation;
  evaluation.classes = 4;
  evaluation.top_k = 1;
  evaluation.label = {0, 0, 0, 3, 1, 2};
  evaluation.top = {3, 3, 0, 1, 1, 2};
  const ConfusionMatrix matrix(evaluation);
  const std::vector<int> shown = shown_classes(matrix);
  EXPECT_EQ(by_confusion(matrix, shown), (std::vector<int>{0, 3, 1, 2}));
  EXPECT_EQ(by_mistakes(matrix, shown), (std::vector<int>{3, 0, 1, 2}));
}

}  // namespace
}  // namespace casvit::trainer
