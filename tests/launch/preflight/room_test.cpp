// Memory and disks, in folders that stand for the root of a file system.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "launch/preflight/disk_room.h"
#include "launch/preflight/memory_room.h"

namespace casvit::launch {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1 << 20;

class Room : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("casvit_room_" + std::to_string(getpid()));
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << "\n";
  }

  void write_meminfo() const {
    write("proc/meminfo",
          "MemTotal:        1048576 kB\nMemFree:  1 kB\nMemAvailable:     524288 kB");
  }

  fs::path root_;
};

TEST_F(Room, OfMemoryIsTheMachinesWithoutALimit) {
  write_meminfo();
  write("proc/self/cgroup", "0::/job");
  write("sys/fs/cgroup/job/memory.max", "max");
  write("sys/fs/cgroup/job/memory.current", "1000");
  const MemoryRoom room = memory_room(root_);
  EXPECT_EQ(room.total_bytes, 1024 * kMiB);
  EXPECT_EQ(room.free_bytes, 512 * kMiB);
  EXPECT_FALSE(room.limited);
}

TEST_F(Room, OfMemoryIsWhatTheTightestGroupLeaves) {
  write_meminfo();
  write("proc/self/cgroup", "0::/pod/job");
  write("sys/fs/cgroup/pod/job/memory.max", std::to_string(800 * kMiB));
  write("sys/fs/cgroup/pod/job/memory.current", std::to_string(100 * kMiB));
  write("sys/fs/cgroup/pod/memory.max", std::to_string(256 * kMiB));
  write("sys/fs/cgroup/pod/memory.current", std::to_string(200 * kMiB));
  write("sys/fs/cgroup/pod/memory.stat",
        "anon 1\ninactive_file " + std::to_string(50 * kMiB) + "\nactive_file 3");
  const MemoryRoom room = memory_room(root_);
  EXPECT_EQ(room.total_bytes, 256 * kMiB);
  EXPECT_EQ(room.free_bytes, 106 * kMiB);  // pages of files are given up first
  EXPECT_TRUE(room.limited);
}

TEST_F(Room, OfMemoryInVersionOne) {
  write_meminfo();
  write("proc/self/cgroup", "4:memory:/job\n3:cpu,cpuacct:/job");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "77");
  EXPECT_FALSE(memory_room(root_).limited);
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", std::to_string(64 * kMiB));
  write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", std::to_string(70 * kMiB));
  const MemoryRoom room = memory_room(root_);
  EXPECT_EQ(room.total_bytes, 64 * kMiB);
  EXPECT_EQ(room.free_bytes, 0U);
}

TEST_F(Room, OfMemoryHere) {
  const MemoryRoom room = memory_room();
  EXPECT_GT(room.total_bytes, 64 * kMiB);
  EXPECT_GT(room.free_bytes, 0U);
  EXPECT_LE(room.free_bytes, room.total_bytes);
}

TEST_F(Room, OfAFolderThatIsNotThereYetIsThatOfItsNearestParent) {
  const fs::path folder = root_ / "runs" / "a";
  const DiskRoom room = disk_room(folder.string());
  EXPECT_EQ(room.folder, folder.string());
  EXPECT_EQ(room.existing, root_.string());
  EXPECT_TRUE(room.writable);
  EXPECT_GT(room.free_bytes.value(), 0U);
  EXPECT_FALSE(fs::exists(folder));
}

TEST_F(Room, BelowAFileIsNone) {
  write("file", "text");
  EXPECT_FALSE(disk_room((root_ / "file" / "run").string()).writable);
}

}  // namespace
}  // namespace casvit::launch
