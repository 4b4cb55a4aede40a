// Where a run's time went, over restarts.

#include "trainer/report/time_budget.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace casvit::trainer {
namespace {

double share(const TimeBudget& budget, const std::string& name) {
  const auto found = std::ranges::find(budget.shares, name, &TimeShare::name);
  return found == budget.shares.end() ? -1 : found->seconds;
}

/// Ten steps of 1 s, of which 0.7 s compute, and a start of 2 s that lasted 14 s.
History one_start() {
  History history;
  for (int step = 1; step <= 10; ++step) {
    StepMetrics metrics;
    metrics.step = step;
    metrics.epoch = 1;
    metrics.data_seconds = 0.05;
    metrics.compute_seconds = 0.7;
    metrics.comm_exposed_seconds = 0.1;
    metrics.optimizer_seconds = 0.1;
    metrics.seconds = 1;
    history.steps.push_back(metrics);
  }
  history.starts = {{0, 0, 1, 1000, 2, 0, 0}};
  history.pauses = {{10, 1, "evaluation", 0.5}, {10, 1, "checkpoint", 0.25}};
  return history;
}

TEST(TimeBudget, DividesOneStart) {
  const TimeBudget budget = time_budget(one_start(), 1014);
  EXPECT_DOUBLE_EQ(budget.seconds, 14);
  EXPECT_DOUBLE_EQ(budget.in_steps, 10);
  EXPECT_DOUBLE_EQ(budget.goodput(), 10.0 / 14);
  EXPECT_NEAR(share(budget, "compute"), 7, 1e-12);
  EXPECT_NEAR(share(budget, "communication"), 1, 1e-12);
  EXPECT_NEAR(share(budget, "rest of the steps"), 0.5, 1e-12);
  EXPECT_NEAR(share(budget, "the rest"), 14 - 10 - 2 - 0.75, 1e-12);
  double all = 0;
  for (const TimeShare& one : budget.shares) all += one.seconds;
  EXPECT_NEAR(all, budget.seconds, 1e-9);
}

TEST(TimeBudget, WaitingForOtherRanksIsNoCommunication) {
  History history = one_start();
  history.ranks = {{10, 1, 10, {}, {}, {0.2, 0.2}, {}, {0, 0.4}}};  // half of it was waiting
  const TimeBudget budget = time_budget(history, 1014);
  EXPECT_NEAR(share(budget, "communication"), 0.5, 1e-12);
  EXPECT_NEAR(share(budget, "waiting for other ranks"), 0.5, 1e-12);
}

TEST(TimeBudget, CountsRestartsAndNotWhatIsBetween) {
  History history = one_start();
  history.starts = {{0, 0, 1, 1000, 2, 0, 0}, {6, 0, 1, 1100, 2, 1020, 4}};
  const TimeBudget budget = time_budget(history, 1110);
  EXPECT_DOUBLE_EQ(budget.seconds, 20 + 10);
  EXPECT_DOUBLE_EQ(budget.between_starts, 80);
  EXPECT_EQ(budget.starts, 2);
  EXPECT_EQ(budget.lost_steps, 4);
  EXPECT_DOUBLE_EQ(budget.goodput(), 10.0 / 30);
  EXPECT_GT(share(budget, "lost steps, and the rest"), 0);
}

TEST(TimeBudget, IsEmptyForRunsThatDoNotTell) {
  EXPECT_EQ(time_budget({}, 1e9).seconds, 0);
  History older = one_start();
  older.steps[3].seconds.reset();
  EXPECT_EQ(time_budget(older, 1014).seconds, 0);
  older = one_start();
  older.starts.clear();
  EXPECT_EQ(time_budget(older, 1014).seconds, 0);
}

TEST(TimeBudget, ClocksThatWentBackGiveNoNegativeTimes) {
  const TimeBudget budget = time_budget(one_start(), 900);
  EXPECT_EQ(budget.seconds, 0);
  for (const TimeShare& one : budget.shares) EXPECT_GE(one.seconds, 0);
}

}  // namespace
}  // namespace casvit::trainer
