// Who idled, who is slowest, and why, in made-up epochs.

#include "trainer/engine/step_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace casvit::trainer {
namespace {

using testing::HasSubstr;

std::vector<RankTimes> one_step(const std::vector<StepTimes>& ranks) {
  std::vector<std::vector<StepTimes>> steps;
  for (const StepTimes& rank : ranks) steps.push_back({rank});
  return divide_times(steps);
}

TEST(StepTimes, IdlesWhatItWaitsBeyondTheRankThatCameLast) {
  // Rank 1 is last in the first step, rank 0 in the second; an exchange takes 0.25 s itself.
  const std::vector<RankTimes> times = divide_times(
      {{{0.5, 1, 1.25, 0.5}, {0, 3, 0.25, 0.5}}, {{0, 2.5, 0.25, 0.5}, {0, 1, 2.25, 0.5}}});
  ASSERT_EQ(times.size(), 2U);
  EXPECT_DOUBLE_EQ(times[0].idle, 1);
  EXPECT_DOUBLE_EQ(times[1].idle, 2);
  for (const RankTimes& rank : times) EXPECT_DOUBLE_EQ(rank.sum.communication, 0.5);
  EXPECT_DOUBLE_EQ(times[0].sum.data, 0.5);
  EXPECT_DOUBLE_EQ(times[0].sum.compute, 4);
  EXPECT_DOUBLE_EQ(times[1].sum.optimizer, 1);
}

TEST(StepTimes, NamesTheRankThatOthersWaitFor) {
  // Rank 2 computes 12 s where the others compute 10 and wait 2 more in exchanges.
  const std::vector<RankTimes> times =
      one_step({{0.1, 10, 3, 0.5}, {0.1, 10, 3, 0.5}, {0.1, 12, 1, 0.5}, {0.1, 10, 3, 0.5}});
  const std::string line = describe_slowest(times, 10);
  EXPECT_THAT(line, HasSubstr("rank 2, compute 1.2 s a step"));
  EXPECT_THAT(line, HasSubstr("waited for it 15% of the time"));  // 2 of 13.6 s
}

TEST(StepTimes, SaysWhenItIsTheLoader) {
  const std::vector<RankTimes> times = one_step({{4, 10, 0.1, 0.5}, {0, 10, 4.1, 0.5}});
  EXPECT_THAT(describe_slowest(times, 10), HasSubstr("rank 0, data 0.4 s a step"));
}

}  // namespace
}  // namespace casvit::trainer
