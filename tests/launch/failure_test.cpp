// However a rank ends, the job ends soon, with the right code, and says which rank it was.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>

#include "tests/launch/mpi_job.h"

namespace casvit::launch {
namespace {

using std::chrono::seconds;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr int kRanks = 3;

class Job : public MpiJob {
 public:
  explicit Job(const std::string& failure, const std::string& who = "one")
      : MpiJob(kRanks, "launch_failing_program", {failure, who}) {}
};

struct FailureCase {
  const char* failure;
  int exit_code;
  const char* message;  ///< a regular expression, after "casvit: rank 1 of 3 on HOST: "
};

class AFailingRank : public testing::TestWithParam<FailureCase> {};

TEST_P(AFailingRank, EndsTheJobAndIsNamed) {
  Job job(GetParam().failure);
  ASSERT_TRUE(job.wait_until_up()) << job.output();
  ASSERT_TRUE(job.wait_for_end(seconds(10))) << job.output();
  EXPECT_EQ(job.exit_code(), GetParam().exit_code) << job.output();
  EXPECT_THAT(job.output(),
              ContainsRegex(std::string("casvit: rank 1 of 3 on [^ ]+: ") + GetParam().message));
  EXPECT_EQ(count_of(job.output(), "casvit: "), 1U) << job.output();
  EXPECT_EQ(job.survivors(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, AFailingRank,
    testing::Values(
        FailureCase{"throw-input", 3, "train.h5: sample 7 is corrupt\n"},
        FailureCase{"throw-defect", 70, "internal error, please report it: index 7 of 5\n"},
        FailureCase{"throw-while-waiting", 3, "train.h5: sample 7 is corrupt\n"},
        FailureCase{"abort-from-a-thread", 6, "disk full\n"},
        FailureCase{"abort-twice", 6, "disk full\n"},
        FailureCase{"mpi-hangs", 3, "train.h5: sample 7 is corrupt\n"},
        FailureCase{"abort-hangs", 3, "train.h5: sample 7 is corrupt\n"},
        FailureCase{"stdout-locked", 3, "train.h5: sample 7 is corrupt\n"},
        FailureCase{"mpi-fails", 5,
                    "collective 3, all_reduce \\(sum\\) of 1000 float32, failed on rank 1 of 3 on "
                    "[^ ]+: "
                    "MPI_Testall: MPI_ERR_OTHER"},
        FailureCase{"returns-without-finish", 70, "the program ended without finishing the world"}),
    [](const auto& info) {
      std::string name = info.param.failure;
      for (char& letter : name) letter = letter == '-' ? '_' : letter;
      return name;
    });

TEST(Failure, OfAllRanksAlikeIsSaidOnce) {
  Job job("throw-input", "all");
  ASSERT_TRUE(job.wait_until_up()) << job.output();
  ASSERT_TRUE(job.wait_for_end(seconds(10))) << job.output();
  EXPECT_EQ(job.exit_code(), 3) << job.output();
  EXPECT_EQ(count_of(job.output(), "casvit: rank "), 1U) << job.output();
  EXPECT_EQ(job.survivors(), 0);
}

TEST(Failure, ACollectiveCalledWithOtherCountsIsNoticed) {
  Job job("wrong-count");
  ASSERT_TRUE(job.wait_until_up()) << job.output();
  ASSERT_TRUE(job.wait_for_end(seconds(10))) << job.output();
  EXPECT_EQ(job.exit_code(), 5) << job.output();
  EXPECT_THAT(job.output(), HasSubstr("with the same counts?"));
}

TEST(Failure, ARankThatExitsOnItsOwnEndsTheJob) {
  Job job("leaves");
  ASSERT_TRUE(job.wait_until_up()) << job.output();
  ASSERT_TRUE(job.wait_for_end(seconds(10))) << job.output();
  EXPECT_NE(job.exit_code(), 0) << job.output();
  EXPECT_EQ(job.survivors(), 0);
}

TEST(Failure, AKilledRankEndsTheJobAndIsNamed) {
  Job job("run");
  ASSERT_TRUE(job.wait_until_up()) << job.output();
  ASSERT_EQ(kill(job.pid_of(1), SIGKILL), 0);
  ASSERT_TRUE(job.wait_for_end(seconds(10))) << job.output();
  EXPECT_EQ(job.exit_code(), 128 + SIGKILL) << job.output();
  EXPECT_THAT(job.output(), ContainsRegex("rank 1 with PID [0-9]+ .*signal 9"));
  EXPECT_EQ(job.survivors(), 0);
}

class Interruption : public testing::TestWithParam<int> {};

TEST_P(Interruption, EndsTheJobAndLeavesNobody) {
  Job job("run");
  ASSERT_TRUE(job.wait_until_up()) << job.output();
  job.send_signal(GetParam());
  ASSERT_TRUE(job.wait_for_end(seconds(10))) << job.output();
  EXPECT_NE(job.exit_code(), 0);
  EXPECT_THAT(job.output(), Not(HasSubstr("casvit: ")));
  EXPECT_EQ(job.survivors(), 0);
}

INSTANTIATE_TEST_SUITE_P(Signals, Interruption, testing::Values(SIGINT, SIGTERM),
                         [](const auto& info) {
                           return info.param == SIGINT ? "ctrl_c" : "terminate";
                         });

}  // namespace
}  // namespace casvit::launch
