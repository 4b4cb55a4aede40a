#include "launch/threads.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "launch/affinity.h"
#include "launch/cgroup.h"

namespace casvit::launch {
namespace {

namespace fs = std::filesystem;

struct PlanCase {
  int cores, local_size;
  bool is_private;
  int requested;
  int compute, loader;
};

class PlanThreads : public testing::TestWithParam<PlanCase> {};

TEST_P(PlanThreads, DividesTheCores) {
  const PlanCase& c = GetParam();
  const ThreadPlan plan = plan_threads(c.cores, c.local_size, c.is_private, c.requested);
  EXPECT_EQ(plan.compute, c.compute);
  EXPECT_EQ(plan.loader, c.loader);
}

INSTANTIATE_TEST_SUITE_P(Cases, PlanThreads,
                         testing::Values(PlanCase{8, 1, true, 0, 8, 7},  // alone
                                         PlanCase{8, 2, false, 0, 4,
                                                  3},                    // a shared mask is divided
                                         PlanCase{8, 2, true, 0, 8, 7},  // a private one is not
                                         PlanCase{7, 2, false, 0, 3, 2},  // rounded down
                                         PlanCase{2, 4, false, 0, 1, 1},  // more ranks than cores
                                         PlanCase{1, 1, true, 0, 1, 1},   // one core
                                         PlanCase{8, 2, false, 6, 6, 5},  // asked for
                                         PlanCase{8, 1, true, 1, 1, 7},   // decoding is not bound
                                         PlanCase{8, 4, false, 1, 1, 1}));

/// A folder that stands for the root of a file system with control groups in it.
class Cgroup : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("casvit_cgroup_" + std::to_string(getpid()));
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << "\n";
  }

  fs::path root_;
};

TEST_F(Cgroup, VersionTwoTakesTheLeastOfAllAncestors) {
  write("proc/self/cgroup", "0::/job/step");
  write("sys/fs/cgroup/job/step/cpu.max", "max 100000");
  EXPECT_FALSE(cgroup_cpu_quota(root_));
  write("sys/fs/cgroup/job/step/cpu.max", "600000 100000");
  EXPECT_DOUBLE_EQ(cgroup_cpu_quota(root_).value(), 6.0);
  write("sys/fs/cgroup/job/cpu.max", "250000 100000");
  EXPECT_DOUBLE_EQ(cgroup_cpu_quota(root_).value(), 2.5);
}

TEST_F(Cgroup, VersionTwoInAContainerWhoseGroupIsNamedByTheHost) {
  write("proc/self/cgroup", "0::/kubepods/pod1/container2");
  write("sys/fs/cgroup/cpu.max", "400000 100000");
  EXPECT_DOUBLE_EQ(cgroup_cpu_quota(root_).value(), 4.0);
}

TEST_F(Cgroup, VersionOne) {
  write("proc/self/cgroup", "5:memory:/job\n4:cpu,cpuacct:/job\n0::/");
  write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "-1");
  write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000");
  EXPECT_FALSE(cgroup_cpu_quota(root_));
  write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "150000");
  EXPECT_DOUBLE_EQ(cgroup_cpu_quota(root_).value(), 1.5);
}

TEST_F(Cgroup, NoneAtAll) { EXPECT_FALSE(cgroup_cpu_quota(root_)); }

TEST(Affinity, FollowsTheMask) {
  // In a thread of its own: the mask ends with it.
  std::thread([] {
    const std::vector<int> before = affinity_cpus();
    ASSERT_FALSE(before.empty());
    EXPECT_LE(usable_cores(), static_cast<int>(before.size()));
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(before.back(), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    EXPECT_EQ(affinity_cpus(), std::vector<int>{before.back()});
    EXPECT_EQ(usable_cores(), 1);
  }).join();
}

}  // namespace
}  // namespace casvit::launch
