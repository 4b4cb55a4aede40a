// Whatever NCCL, the device or a rank does at a given call, the job ends in time with the right
// code, and says who, where and at which collective. CASVIT_FAULT_INJECTIONS makes the random part
// longer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "tests/launch/mpi_job.h"

namespace casvit::launch {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;
using testing::ContainsRegex;

constexpr double kTimeoutSeconds = 1;
/// Waiting for the first to fail, for NCCL to abort and the failure to be noticed; MPI_Abort.
constexpr double kGraceSeconds = 8;

struct FaultCase {
  const char* fault;
  int exit_code;
  const char* message;  ///< RANK stands for the rank at fault
};

const std::string kCollective =
    "GPU collective [0-9]+, all_reduce \\(max\\) of 2000 float32 for gradients from w[0-2] on, "
    "failed on rank ";

const std::vector<FaultCase>& cases() {
  static const std::vector<FaultCase> all{
      {"error", 5,
       "casvit: rank RANK of . on [^ ]+: COLLECTIVERANK of . on [^ ]+: unhandled system error"},
      {"async-error", 5,
       "casvit: rank RANK of . on [^ ]+: COLLECTIVERANK of . on [^ ]+: .*remote process exited"},
      {"device-fails", 5,
       "casvit: rank RANK of . on [^ ]+: COLLECTIVERANK of . on [^ ]+: .*unspecified launch "
       "failure"},
      {"call-stalls", 5,
       "COLLECTIVE.*(rank RANK on [^ ]+ is behind|RANK of . on [^ ]+: the call into NCCL has not "
       "come back after 1[.0-9]* s)"},
      {"stream-stalls", 5,
       "casvit: rank . of . on [^ ]+: COLLECTIVE.*: not done after 1[.0-9]* s; "},
      {"abort-stalls", 5,
       "casvit: rank . of . on [^ ]+: COLLECTIVE.*: not done after 1[.0-9]* s; "},
      {"unnoticed", 5, "casvit: rank . of . on [^ ]+: COLLECTIVE.*: not done after 1[.0-9]* s; "},
      {"late", 5,
       "casvit: rank . of . on [^ ]+: COLLECTIVE.*rank RANK on [^ ]+ is behind, the last that it "
       "issued was GPU collective [0-9]+"},
      {"init-fails", 5,
       "casvit: rank RANK of . on [^ ]+: creating NCCL's communicator failed on rank RANK of . on "
       "[^ ]+: .*unhandled system error"},
      {"init-stalls", 5,
       "casvit: rank . of . on [^ ]+: (creating NCCL's communicator failed on rank RANK of . on "
       "[^ ]+: .*not done after 1 s|COLLECTIVE.*rank RANK on [^ ]+ is behind, the last that it "
       "issued was GPU collective 0)"},
      {"throws", 3, "casvit: rank RANK of . on [^ ]+: train.h5: sample 7 is corrupt"},
      // Nothing but its sign of life goes: the launcher does not notice, and NCCL would not before
      // the time is up, which is a minute here.
      {"vanishes", 5,
       "casvit: rank . of . on [^ ]+: COLLECTIVE.*: rank RANK on [^ ]+ died, the last that it "
       "issued was GPU collective [0-9]+"},
      {"dies", 128 + SIGKILL, "rank RANK with PID [0-9]+ on node [^ ]+ exited on signal 9"},
  };
  return all;
}

std::string message_of(const FaultCase& fault, int rank) {
  std::string text = fault.message;
  const auto replace = [&](const std::string& word, const std::string& by) {
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
      text.replace(at, word.size(), by);
    }
  };
  replace("COLLECTIVE", kCollective);
  replace("RANK", std::to_string(rank));
  return text;
}

/// Seconds that it took to end.
double inject(const FaultCase& fault, int ranks, int rank, int call) {
  const std::string what = std::string(fault.fault) + " rank " + std::to_string(rank) + " of " +
                           std::to_string(ranks) + " call " + std::to_string(call);
  MpiJob job(
      ranks, "launch_nccl_faulty_program",
      {fault.fault, std::to_string(rank), std::to_string(call), std::to_string(kTimeoutSeconds)});
  EXPECT_TRUE(job.wait_until_up()) << what << "\n" << job.output();
  const auto start = Clock::now();
  EXPECT_TRUE(job.wait_for_end(seconds(40))) << what << " hangs\n" << job.output();
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  EXPECT_LT(took, kTimeoutSeconds + kGraceSeconds) << what << "\n" << job.output();
  EXPECT_EQ(job.exit_code(), fault.exit_code) << what << "\n" << job.output();
  EXPECT_THAT(job.output(), ContainsRegex(message_of(fault, rank))) << what;
  EXPECT_EQ(job.survivors(), 0) << what;
  return took;
}

class NcclFault : public testing::TestWithParam<FaultCase> {};

TEST_P(NcclFault, OfRankOneEndsTheJob) { inject(GetParam(), 2, 1, 5); }

INSTANTIATE_TEST_SUITE_P(Faults, NcclFault, testing::ValuesIn(cases()), [](const auto& info) {
  std::string name = info.param.fault;
  for (char& letter : name) letter = letter == '-' ? '_' : letter;
  return name;
});

TEST(NcclFaults, DrawnAtRandomEndTheJob) {
  const char* asked = std::getenv("CASVIT_FAULT_INJECTIONS");
  const char* seed = std::getenv("CASVIT_FAULT_SEED");
  const int injections = asked == nullptr ? 2 : std::atoi(asked);
  std::mt19937 random(seed == nullptr ? 5U : static_cast<unsigned>(std::atoi(seed)));
  double longest = 0;
  for (int i = 0; i < injections; ++i) {
    const FaultCase& fault = cases()[random() % cases().size()];
    const int ranks = 2 + static_cast<int>(random() % 3);
    const int rank = static_cast<int>(random() % static_cast<unsigned>(ranks));
    longest = std::max(longest, inject(fault, ranks, rank, 1 + static_cast<int>(random() % 40)));
    if (HasFatalFailure()) return;
  }
  std::printf("%d injections, the longest took %.1f s with a deadline of %.1f s\n", injections,
              longest, kTimeoutSeconds);
}

}  // namespace
}  // namespace casvit::launch
