// A file shows its old content or the new, and a failed write says why and leaves nothing behind.

#include "trainer/report/atomic_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "temporary_folder.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(AtomicFile, ReplacesAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a.txt";
  write_file_atomically(path, "old");
  write_file_atomically(path, std::string("new\0bytes", 9));
  EXPECT_EQ(text_of(path), std::string("new\0bytes", 9));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(AtomicFile, ReaderOfTheOldFileKeepsIt) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a.txt";
  write_file_atomically(path, "old");
  std::ifstream reader(path);
  write_file_atomically(path, "new");
  std::string seen;
  reader >> seen;
  EXPECT_EQ(seen, "old");
}

TEST(AtomicFile, FailuresNameTheFileAndCleanUp) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/taken";
  std::filesystem::create_directories(path + "/inside");
  try {
    write_file_atomically(path, "content");  // a folder cannot be renamed over
    FAIL() << "accepted";
  } catch (const OutputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  EXPECT_THROW(write_file_atomically(folder.path() + "/none/a.txt", "x"), OutputError);
}

TEST(AtomicFile, FullDiskIsAnOutputError) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) GTEST_SKIP() << "no /dev/full here";
  try {
    write_all(full, "x", "/dev/full");
    ADD_FAILURE() << "accepted";
  } catch (const OutputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("No space left"));
  }
  ::close(full);
}

}  // namespace
}  // namespace casvit::trainer
