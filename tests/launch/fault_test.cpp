// A fault in a collective ends the job in time, with exit 5, and says who, where and at which one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>

#include "tests/launch/mpi_job.h"

namespace casvit::launch {
namespace {

using std::chrono::seconds;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr int kRanks = 3;
/// Collective 9 is the first bucket of the second step, after one barrier and seven collectives.
constexpr const char* kNinth = "collective 9, all_reduce \\(max\\) of 9000 float32 for bucket 0";
constexpr const char* kNinthOfFour =
    "collective 9, all_reduce \\(max\\) of 12000 float32 for bucket 0";

struct FaultCase {
  const char* fault;
  int call;
  int exit_code;
  std::string message;
};

class Fault : public testing::TestWithParam<FaultCase> {};

TEST_P(Fault, OfRankOneIsNamed) {
  MpiJob job(kRanks, "launch_faulty_program",
             {GetParam().fault, "1", std::to_string(GetParam().call), "1.5"});
  ASSERT_TRUE(job.wait_for_end(seconds(20))) << job.output();
  EXPECT_EQ(job.exit_code(), GetParam().exit_code) << job.output();
  EXPECT_THAT(job.output(), ContainsRegex(GetParam().message));
  EXPECT_EQ(job.survivors(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Mpi, Fault,
    testing::Values(
        FaultCase{"mpi-fails", 2, 5,
                  "casvit: rank 1 of 3 on [^ ]+: collective [0-9]+, all_reduce \\(max\\) of 9000 "
                  "float32 for bucket [0-9], failed on rank 1 of 3 on [^ ]+: MPI_[a-zA-Z]+: "
                  "MPI_ERR_OTHER"},
        FaultCase{
            "mpi-hangs", 40, 5,
            "casvit: rank [02] of 3 on [^ ]+: collective [0-9]+, [a-z_]+ .* nothing moved for "
            "1.5[0-9]* s; rank 1 on [^ ]+ is stuck inside MPI"},
        FaultCase{"mpi-cannot-tell", 40, 5, "casvit: rank [0-2] of 3 on [^ ]+: "},
        FaultCase{"mpi-throws-when-asked", 40, 70,
                  "casvit: rank 1 of 3 on [^ ]+: internal error, please report it: the thread that "
                  "owns MPI: index 7 of 5\n"},
        FaultCase{"late", 9, 5,
                  std::string("casvit: rank [02] of 3 on [^ ]+: ") + kNinth +
                      ", failed on rank [02] of 3 on [^ ]+: nothing moved for 1.5[0-9]* s; rank 1 "
                      "on [^ ]+ is behind, the last that it issued was collective 8"},
        FaultCase{"throws", 10, 3,
                  std::string("casvit: rank 1 of 3 on [^ ]+: train.h5: sample 7 is corrupt\n"
                              "  \\(the last that this rank issued: ") +
                      kNinth + "\\)"},
        FaultCase{"dies", 9, 128 + SIGKILL,
                  "rank 1 with PID [0-9]+ on node [^ ]+ exited on signal 9"}),
    [](const auto& info) {
      std::string name = info.param.fault;
      for (char& letter : name) letter = letter == '-' ? '_' : letter;
      return name;
    });

/// Even one that has no peer at all to wait for it.
TEST(Watchdog, EndsAStuckRankAndShowsItsStack) {
  MpiJob job(2, "launch_faulty_program", {"stuck-alone", "1", "9", "1.5"});
  ASSERT_TRUE(job.wait_for_end(seconds(20))) << job.output();
  EXPECT_EQ(job.exit_code(), 5) << job.output();
  EXPECT_THAT(job.output(), ContainsRegex("casvit: rank 1 of 2 on [^ ]+: stuck for 1.5[0-9]* s in "
                                          "loading step 3\n"));
  EXPECT_THAT(job.output(), HasSubstr("stuck_in_the_loader"));
  EXPECT_THAT(job.output(), HasSubstr("the thread that owns MPI"));
  EXPECT_EQ(count_of(job.output(), "casvit: "), 1U) << job.output();
  EXPECT_EQ(job.survivors(), 0);
}

TEST(Watchdog, LetsWhatShowsLifeTakeItsTime) {
  MpiJob job(2, "launch_faulty_program", {"slow-but-alive", "1", "9", "1.5"});
  ASSERT_TRUE(job.wait_for_output("came through", seconds(20))) << job.output();
}

/// Of several nodes, the one where it happened knows more than the others, and is heard.
TEST(Nodes, ALateRankIsNamedByItsNeighbours) {
  ASSERT_EQ(setenv("CASVIT_NODES", "2", 1), 0);
  MpiJob job(4, "launch_faulty_program", {"late", "1", "9", "1.5"});
  ASSERT_EQ(unsetenv("CASVIT_NODES"), 0);
  ASSERT_TRUE(job.wait_for_end(seconds(20))) << job.output();
  EXPECT_EQ(job.exit_code(), 5) << job.output();
  EXPECT_THAT(job.output(),
              ContainsRegex(std::string("casvit: rank 0 of 4 on [^ ]+: ") + kNinthOfFour +
                            ", failed on rank 0 of 4 on [^ ]+: nothing moved for 1.5[0-9]* s; rank "
                            "1 on [^ ]+ is behind, the last that it issued was collective 8"));
  EXPECT_EQ(job.output().find("casvit: "), job.output().find("casvit: rank 0")) << job.output();
  EXPECT_EQ(job.survivors(), 0);
}

/// It is watched, and fed, by its own watchdog: the others need not lose patience.
TEST(Watchdog, LetsOthersWaitForARankThatShowsLife) {
  MpiJob job(3, "launch_faulty_program", {"busy-alone", "1", "9", "1.5"});
  ASSERT_TRUE(job.wait_for_output("waited for it", seconds(20))) << job.output();
}

}  // namespace
}  // namespace casvit::launch
