// Who is slowest, and why, in made-up epochs.

#include "trainer/engine/step_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace casvit::trainer {
namespace {

using testing::HasSubstr;

TEST(StepTimes, NamesTheRankThatOthersWaitFor) {
  // Rank 2 computes 12 s where the others compute 10 and wait 2 more in exchanges.
  const std::vector<StepTimes> times{
      {0.1, 10, 3, 0.5}, {0.1, 10, 3, 0.5}, {0.1, 12, 1, 0.5}, {0.1, 10, 3, 0.5}};
  const std::string line = describe_slowest(times, 10);
  EXPECT_THAT(line, HasSubstr("rank 2, compute 1.2 s a step"));
  EXPECT_THAT(line, HasSubstr("waited for it 15% of the time"));  // 2 of 13.6 s
}

TEST(StepTimes, SaysWhenItIsTheLoader) {
  const std::vector<StepTimes> times{{4, 10, 0.1, 0.5}, {0, 10, 4.1, 0.5}};
  EXPECT_THAT(describe_slowest(times, 10), HasSubstr("rank 0, data 0.4 s a step"));
}

}  // namespace
}  // namespace casvit::trainer
