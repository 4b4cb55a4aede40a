#include "launch/preflight/expected_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace casvit::launch {
namespace {

using testing::HasSubstr;
using testing::Not;

WorldFound eight_ranks_on_two_hosts() {
  return {.ranks = 8,
          .hosts = 2,
          .host = "node7",
          .by_launcher = true,
          .mpi = "Open MPI v4.1.4",
          .orte = {}};
}

TEST(ExpectedWorld, AnyOrTheSameIsFine) {
  const WorldFound found = eight_ranks_on_two_hosts();
  EXPECT_EQ(compare(found, {}).finding, "");
  EXPECT_EQ(compare(found, {8, 0}).finding, "");
  EXPECT_EQ(compare(found, {0, 2}).finding, "");
  EXPECT_EQ(compare(found, {8, 2}).finding, "");
}

TEST(ExpectedWorld, AnotherSaysWhatWasFoundAndExpected) {
  const WorldFound found = eight_ranks_on_two_hosts();
  EXPECT_EQ(compare(found, {16, 2}).finding,
            "this job has 8 ranks on 2 hosts, but launch.expect_ranks is 16");
  EXPECT_EQ(compare(found, {8, 4}).finding,
            "this job has 8 ranks on 2 hosts, but launch.expect_hosts is 4");
  EXPECT_EQ(compare(found, {16, 4}).finding,
            "this job has 8 ranks on 2 hosts, but launch.expect_ranks is 16 and "
            "launch.expect_hosts is 4");
  EXPECT_THAT(compare(found, {16, 2}).advice, HasSubstr("start 16 ranks"));
  EXPECT_THAT(compare(found, {8, 1}).advice, HasSubstr("fewer hosts"));
}

TEST(ExpectedWorld, OneRankAloneIsMostlyOneOfManyJobs) {
  WorldFound alone = eight_ranks_on_two_hosts();
  alone.ranks = alone.hosts = 1;
  EXPECT_THAT(compare(alone, {8, 0}).finding, HasSubstr("1 rank on 1 host (node7)"));
  EXPECT_THAT(compare(alone, {8, 0}).advice, HasSubstr("8 jobs of one rank each"));
  EXPECT_THAT(compare(alone, {8, 0}).advice, HasSubstr("Open MPI v4.1.4"));
  alone.by_launcher = false;
  EXPECT_THAT(compare(alone, {8, 0}).advice, HasSubstr("mpirun -np 8"));
}

TEST(ExpectedWorld, VariablesThatOpenMpiFiveIgnoresAreNamed) {
  WorldFound found = eight_ranks_on_two_hosts();
  found.hosts = 1;
  found.orte = {"OMPI_MCA_orte_default_hostfile"};
  EXPECT_THAT(compare(found, {8, 2}).advice, Not(HasSubstr("OMPI_MCA")));
  found.mpi = "Open MPI v5.0.3";
  EXPECT_THAT(compare(found, {8, 2}).advice, HasSubstr("here OMPI_MCA_orte_default_hostfile"));
}

}  // namespace
}  // namespace casvit::launch
