#include "dataio/container/stage_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <thread>

#include "dataio/container/dataset.h"
#include "dataio/error.h"
#include "tests/dataio/container/small_container.h"

namespace casvit::dataio {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class StageFilesTest : public ::testing::Test {
 protected:
  StageFilesTest() {
    fs::create_directories(folder_ / "far");
    write_small_container(source_);
  }

  StagedFile stage() const { return stage_files({source_}, disk_, {}).at(0); }

  std::string refusal() const {
    try {
      static_cast<void>(stage());
    } catch (const OutputError& error) {
      return error.what();
    }
    return "";
  }

  /// Files below the folder, hidden ones too, but no locks.
  std::vector<std::string> files_on_disk() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(disk_)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_regular_file() && !name.ends_with(".lock")) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  TemporaryFolder folder_;
  const std::string source_ = folder_ / "far/photos.h5";
  const std::string disk_ = folder_ / "disk/deep";
};

TEST_F(StageFilesTest, CopiesOnceAndReusesTheCopy) {
  write_container(folder_ / "far/other.h5", [] {
    SmallContent content = small_content();
    content.description.split = "val";
    return content;
  }());
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  const auto files = stage_files({source_, folder_ / "far/other.h5"}, disk_,
                                 [&](std::uint64_t done, std::uint64_t of) {
                                   EXPECT_GE(done, last);
                                   last = done;
                                   total = of;
                                 });
  ASSERT_EQ(files.size(), 2U);
  EXPECT_NE(fs::path(files[0].path).parent_path(), fs::path(files[1].path).parent_path());
  EXPECT_EQ(fs::path(files[0].path).filename(), "photos.h5");
  EXPECT_EQ(file_bytes(files[0].path), file_bytes(source_));
  EXPECT_FALSE(files[0].reused);
  EXPECT_EQ(total, 2 * (files[0].bytes + files[1].bytes));
  EXPECT_EQ(last, total);
  EXPECT_EQ(files_on_disk(), (std::vector<std::string>{"other.h5", "photos.h5"}));
  EXPECT_EQ(Dataset({files[0].path}).content_hash(), Dataset({source_}).content_hash());

  const StagedFile again = stage();
  EXPECT_TRUE(again.reused);
  EXPECT_EQ(again.path, files[0].path);
}

TEST_F(StageFilesTest, OtherContentIsAnotherCopyAndADamagedCopyIsMadeAnew) {
  const StagedFile first = stage();
  SmallContent content = small_content();
  content.description.normalization.mean = {0.5F, 0.5F, 0.5F};  // the index stays the same
  write_container(source_, content);
  const StagedFile second = stage();
  EXPECT_FALSE(second.reused);
  EXPECT_NE(second.path, first.path);

  fs::resize_file(second.path, second.bytes / 2);
  write_file((fs::path(second.path).parent_path() / ".photos.h5.part-1-0").string(), {1, 2, 3});
  const StagedFile repaired = stage();
  EXPECT_FALSE(repaired.reused);
  EXPECT_EQ(file_bytes(repaired.path), file_bytes(source_));
  EXPECT_EQ(files_on_disk(), (std::vector<std::string>{"photos.h5", "photos.h5"}));
}

TEST_F(StageFilesTest, ManyAtOnceCopyOnce) {
  std::vector<StagedFile> staged(6);
  {
    std::vector<std::jthread> threads;
    for (StagedFile& file : staged) threads.emplace_back([&] { file = stage(); });
  }
  EXPECT_EQ(std::ranges::count(staged, false, &StagedFile::reused), 1);
  for (const StagedFile& file : staged) EXPECT_EQ(file_bytes(file.path), file_bytes(source_));
}

TEST_F(StageFilesTest, SaysWhatWouldDoWhereNothingCanBeWritten) {
  write_file(folder_ / "disk", {1});  // a file where the folder should be
  EXPECT_THAT(refusal(), HasSubstr("disk/deep"));
  EXPECT_THAT(refusal(), HasSubstr("data.stage_to"));
}

TEST_F(StageFilesTest, AFullDiskLeavesNothingBehind) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{fs::file_size(source_) / 2, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string why = refusal();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, ignored);
  EXPECT_THAT(why, HasSubstr("File too large"));
  EXPECT_THAT(why, HasSubstr("photos.h5"));
  EXPECT_EQ(files_on_disk(), std::vector<std::string>{});
}

TEST_F(StageFilesTest, LooksAtTheSpaceBeforeTheFirstByte) {
  // A file larger than any disk, of holes mostly.
  fs::resize_file(source_, std::uintmax_t{8} << 40);
  const std::string why = refusal();
  EXPECT_THAT(why, HasSubstr("are free there"));
  EXPECT_EQ(files_on_disk(), std::vector<std::string>{});
}

TEST_F(StageFilesTest, FreesWhatKilledCopiersLeftBeforeItLooksAtTheSpace) {
  const StagedFile staged = stage();
  fs::resize_file(source_, std::uintmax_t{8} << 40);  // a file of another size has another key
  EXPECT_THAT(refusal(), HasSubstr("are free there"));
  std::string folder;
  for (const auto& entry : fs::directory_iterator(disk_)) {
    if (entry.path() != fs::path(staged.path).parent_path()) folder = entry.path().string();
  }
  ASSERT_NE(folder, "");
  write_file(folder + "/.photos.h5.part-1-0", {1, 2, 3});
  EXPECT_THAT(refusal(), HasSubstr("are free there"));
  EXPECT_EQ(files_on_disk(), std::vector<std::string>{"photos.h5"});
}

TEST_F(StageFilesTest, WhatTheProgressThrowsEndsTheCopying) {
  class Stop {};
  EXPECT_THROW(stage_files({source_}, disk_, [](std::uint64_t, std::uint64_t) { throw Stop(); }),
               Stop);
  EXPECT_EQ(files_on_disk(), std::vector<std::string>{});
  EXPECT_FALSE(stage().reused);
}

}  // namespace
}  // namespace casvit::dataio
