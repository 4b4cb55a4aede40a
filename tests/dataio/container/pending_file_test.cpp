#include "dataio/container/pending_file.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "dataio/error.h"
#include "tests/dataio/temporary_folder.h"

namespace {

/// What was forced to the disk, in order; nothing is noted while `noted` is null.
std::vector<std::string>* noted = nullptr;
bool disk_fails = false;

}  // namespace

// Takes the place of the system's own in this program.
extern "C" int fsync(int descriptor) {
  if (noted != nullptr) {
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    noted->push_back(std::filesystem::read_symlink(link).string());
  }
  if (!disk_fails) return static_cast<int>(::syscall(SYS_fsync, descriptor));
  errno = EIO;
  return -1;
}

namespace casvit::dataio {
namespace {

TEST(PendingFile, IsOnDiskBeforeItHasItsName) {
  const TemporaryFolder folder;
  std::vector<std::string> order;
  PendingFile pending(folder / "a");
  write_text(pending.temporary_path(), "content");
  noted = &order;
  pending.publish();
  noted = nullptr;
  EXPECT_EQ(order, (std::vector<std::string>{pending.temporary_path(), folder.path()}));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a"});
}

TEST(PendingFile, HasNoNameWhereTheDiskRefusesIt) {
  const TemporaryFolder folder;
  {
    PendingFile pending(folder / "a");
    write_text(pending.temporary_path(), "content");
    disk_fails = true;
    EXPECT_THROW(pending.publish(), OutputError);
    disk_fails = false;
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(HiddenBeside, IsInTheSameFolder) {
  EXPECT_EQ(part_file_of("in/out.h5"), "in/.out.h5.part");
  EXPECT_EQ(hidden_beside("out.h5", ".journal"), "./.out.h5.journal");
  EXPECT_EQ(folder_of("out.h5"), ".");
}

}  // namespace
}  // namespace casvit::dataio
