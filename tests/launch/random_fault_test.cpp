// Whatever goes wrong wherever, the job ends in time and names the rank at fault. A few injections
// here; CASVIT_FAULT_INJECTIONS=200 (and CASVIT_FAULT_SEED) make it the long run.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "tests/launch/mpi_job.h"

namespace casvit::launch {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr double kTimeoutSeconds = 1;
/// What the end takes besides: waiting for the first to fail, MPI_Abort, mpirun.
constexpr double kGraceSeconds = 6;

int number_from(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoi(value);
}

struct Injection {
  std::string fault;
  int ranks;
  int rank;
  int call;
};

Injection draw(std::mt19937& random) {
  static const std::vector<std::string> faults{"mpi-fails", "mpi-hangs", "late",
                                               "dies",      "throws",    "throws-defect"};
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  Injection injection;
  injection.fault = faults[static_cast<std::size_t>(below(static_cast<int>(faults.size())))];
  injection.ranks = 2 + below(3);
  injection.rank = below(injection.ranks);
  injection.call = 2 + below(40);
  return injection;
}

int exit_code_of(const std::string& fault) {
  if (fault == "dies") return 128 + SIGKILL;
  if (fault == "throws") return 3;
  if (fault == "throws-defect") return 70;
  return 5;
}

/// What must be said: the rank at fault with its host, and a collective with what it is for.
std::string message_of(const Injection& injection) {
  const std::string rank = std::to_string(injection.rank);
  if (injection.fault == "dies") return "rank " + rank + " with PID [0-9]+ on node [^ ]+ exited";
  const std::string own = "casvit: rank " + rank + " of [0-9] on [^ ]+: ";
  const std::string collective = "collective [0-9]+, [a-z_]+.*";
  if (injection.fault == "mpi-fails")
    return own + collective + " for [a-z]+.*failed on rank " + rank;
  if (injection.fault.starts_with("throws")) return own + "[^]*issued: " + collective;
  return "casvit: rank [0-9] of [0-9] on [^ ]+: " + collective + " for [a-z]+.*rank " + rank +
         " on [^ ]+ is (stuck|behind)";
}

TEST(RandomFaults, EndTheJobInTimeAndAreNamed) {
  std::mt19937 random(static_cast<unsigned>(number_from("CASVIT_FAULT_SEED", 5)));
  const int injections = number_from("CASVIT_FAULT_INJECTIONS", 4);
  double longest = 0;
  std::map<std::string, int> kinds;
  for (int i = 0; i < injections; ++i) {
    const Injection injection = draw(random);
    ++kinds[injection.fault];
    const std::string what = injection.fault + " rank " + std::to_string(injection.rank) + " of " +
                             std::to_string(injection.ranks) + " call " +
                             std::to_string(injection.call);
    MpiJob job(injection.ranks, "launch_faulty_program",
               {injection.fault, std::to_string(injection.rank), std::to_string(injection.call),
                std::to_string(kTimeoutSeconds)});
    ASSERT_TRUE(job.wait_until_up()) << what << job.output();
    const auto start = Clock::now();
    ASSERT_TRUE(job.wait_for_end(seconds(30))) << what << " hangs\n" << job.output();
    const double took = std::chrono::duration<double>(Clock::now() - start).count();
    longest = std::max(longest, took);
    EXPECT_LT(took, kTimeoutSeconds + kGraceSeconds) << what;
    EXPECT_EQ(job.exit_code(), exit_code_of(injection.fault)) << what << "\n" << job.output();
    EXPECT_TRUE(std::regex_search(job.output(), std::regex(message_of(injection)))) << what << "\n"
                                                                                    << job.output();
    EXPECT_EQ(job.survivors(), 0) << what;
  }
  std::printf("%d injections, the longest took %.1f s with a deadline of %.1f s:", injections,
              longest, kTimeoutSeconds);
  for (const auto& [fault, count] : kinds) std::printf(" %s %d", fault.c_str(), count);
  std::printf("\n");
}

}  // namespace
}  // namespace casvit::launch
