#include "dataio/inspect/extract.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>

#include "dataio/error.h"
#include "dataio/image/decode.h"
#include "tests/dataio/container/small_container.h"

namespace {

/// How many more files that were opened for writing can be closed before a disk says, as late as
/// NFS does, that it is full; and whether syncing says so.
std::atomic<int> closes_left{1 << 30};
std::atomic<bool> sync_fails{false};

}  // namespace

// These take the places of the system's own in this program.
extern "C" int close(int descriptor) {
  const bool written = (::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_WRONLY;
  const auto result = static_cast<int>(::syscall(SYS_close, descriptor));
  if (!written || --closes_left >= 0) return result;
  errno = ENOSPC;
  return -1;
}
extern "C" int syncfs(int /*descriptor*/) noexcept {
  if (!sync_fails) return 0;
  errno = EIO;
  return -1;
}

namespace casvit::dataio {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

void no_progress(std::uint64_t, std::uint64_t) {}

/// Every file below `folder`, relative to it, sorted.
std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(folder).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class Extract : public ::testing::Test {
 protected:
  /// Packs samples of one class with these source paths.
  void pack(const std::vector<std::string>& sources, const std::string& class_name = "A") {
    SmallContent content = small_content();
    content.class_names = {class_name};
    content.samples.resize(sources.size());
    content.bytes.resize(sources.size());
    for (std::size_t i = 0; i < sources.size(); ++i) {
      content.bytes[i] = {static_cast<std::uint8_t>(i), 1, 2};
      content.samples[i] = {};
      content.samples[i].length = 3;
      content.samples[i].height = content.samples[i].width = 1;
      content.samples[i].source = sources[i];
    }
    write_container(file_, content);
  }

  /// Extracts into an empty folder within an empty folder: nothing may appear beside it.
  ExtractResult extracted() {
    fs::remove_all(home_);
    fs::create_directory(home_);
    const ExtractResult result = extract({file_}, home_ + "/out", 2, no_progress);
    EXPECT_EQ(std::distance(fs::directory_iterator(home_), {}), 1)
        << "something outside the folder";
    return result;
  }

  TemporaryFolder folder_;
  const std::string file_ = folder_ / "a.h5";
  const std::string home_ = folder_ / "home";
};

TEST_F(Extract, HostileNamesStayInsideTheFolder) {
  const std::vector<std::string> hostile{"../A/x.jpg",
                                         "/A/x.jpg",
                                         "A/../../x.jpg",
                                         "A//x.jpg",
                                         "A/./x.jpg",
                                         "A/",
                                         "..",
                                         ".",
                                         "A/x.jpg/../../y",
                                         "A/" + std::string(300, 'n'),
                                         std::string("A/a\0b", 5),
                                         "/etc/passwd"};
  pack(hostile);
  const ExtractResult result = extracted();
  EXPECT_EQ(result.pictures, hostile.size());
  EXPECT_EQ(result.renamed, hostile.size());
  const auto files = files_below(home_ + "/out");
  EXPECT_EQ(files.size(), hostile.size());
  for (const std::string& file : files) EXPECT_TRUE(file.starts_with("A/sample-0-")) << file;
  EXPECT_EQ(file_bytes(home_ + "/out/A/sample-0-3.jpg"), (Bytes{3, 1, 2}));
  EXPECT_THAT(result.renamed_examples.front(), HasSubstr("sample 0 (../A/x.jpg)"));
}

TEST_F(Extract, HostileClassNamesAreFoldersAllTheSame) {
  for (const char* name : {"..", ".", "a/b", "/"}) {
    pack({"x.jpg"}, name);
    EXPECT_EQ(extracted().pictures, 1U);
    EXPECT_EQ(files_below(home_ + "/out"), std::vector<std::string>{"class-0/x.jpg"});
  }
}

TEST_F(Extract, NamesOfAnyBytesAndDepthComeBack) {
  const std::vector<std::string> names{"A/\xff\n \xc3\xa4.jpg", "A/deep/er/x.jpg", "train/A/x.jpg",
                                       "A/..x", "A/x"};
  pack(names);
  EXPECT_EQ(extracted().renamed, 0U);
  auto sorted = names;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(files_below(home_ + "/out"), sorted);
}

TEST_F(Extract, TheClassLeadsNamesThatDoNotHaveIt) {
  pack({"x.jpg", "other/y.jpg", "A"});
  EXPECT_EQ(extracted().renamed, 0U);
  EXPECT_EQ(files_below(home_ + "/out"),
            (std::vector<std::string>{"A/A", "A/other/y.jpg", "A/x.jpg"}));
}

TEST_F(Extract, NoPictureReplacesAnother) {
  // The same name, a name that is another's folder, and one that another picture is to have.
  pack({"A/x.jpg", "A/x.jpg", "A/x.jpg/y.jpg", "A/z/y.jpg", "A/z", "A/sample-0-1.jpg"});
  const ExtractResult result = extracted();
  EXPECT_EQ(result.pictures, 6U);
  const auto files = files_below(home_ + "/out");
  EXPECT_EQ(files.size(), 6U);
  std::vector<std::uint8_t> firsts;
  for (const std::string& file : files) firsts.push_back(file_bytes(home_ + "/out/" + file).at(0));
  std::sort(firsts.begin(), firsts.end());
  EXPECT_EQ(firsts, (Bytes{0, 1, 2, 3, 4, 5}));
}

TEST_F(Extract, PixelsBecomeAPngOfTheSamePixels) {
  SmallContent content = small_content();
  content.class_names = {"A"};
  content.samples.resize(1);
  content.samples[0] = {};
  content.samples[0].length = 12;
  content.samples[0].height = content.samples[0].width = 2;
  content.samples[0].codec = Codec::kRawRgb;
  content.samples[0].source = "A/x.jpg";
  content.bytes = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  write_container(file_, content);
  EXPECT_EQ(extracted().raw, 1U);
  const Image image = decode_image(file_bytes(home_ + "/out/A/x.jpg.png"));
  EXPECT_EQ(image.width, 2);
  EXPECT_EQ(image.pixels, content.bytes[0]);
}

TEST_F(Extract, ADamagedSampleLeavesNothingBehind) {
  pack({"A/x.jpg", "A/y.jpg"});
  Bytes file = file_bytes(file_);
  const Bytes sample{1, 1, 2};
  auto at = file.begin();  // samples start at multiples of 64, in the file too
  while (!std::equal(sample.begin(), sample.end(), at)) {
    ASSERT_GT(file.end() - at, 128);
    at += 64;
  }
  *at = 9;
  write_file(file_, file);
  EXPECT_THROW(extract({file_}, folder_ / "out", 2, no_progress), InputError);
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"a.h5"});
}

TEST_F(Extract, WhatTheDiskSaysLateIsAFailure) {
  pack({"A/x.jpg", "A/y.jpg"});
  for (const bool filled : {false, true}) {
    if (filled) fs::create_directory(folder_ / "out");
    closes_left = 1;
    EXPECT_THROW(extract({file_}, folder_ / "out", 1, no_progress), OutputError);
    closes_left = 1 << 30;
    sync_fails = true;
    EXPECT_THROW(extract({file_}, folder_ / "out", 1, no_progress), OutputError);
    sync_fails = false;
    EXPECT_EQ(folder_.names().size(), filled ? 2U : 1U);
    EXPECT_TRUE(!filled || fs::is_empty(folder_ / "out"));
  }
}

TEST_F(Extract, AProcessOfTheSameNumberThatWasKilledIsNotInTheWay) {
  pack({"A/x.jpg"});
  const std::string number = std::to_string(::getpid());
  write_text(folder_ / (".out.part-" + number), "an older program's");
  write_text(folder_ / (".out.part-" + number + "-0/A/x.jpg"), "half");
  EXPECT_EQ(extract({file_}, folder_ / "out", 1, no_progress).pictures, 1U);
  EXPECT_EQ(files_below(folder_ / "out"), std::vector<std::string>{"A/x.jpg"});
}

TEST_F(Extract, AFolderThatIsThereIsFilledAndStaysTheSame) {
  pack({"A/x.jpg", "A/y.jpg"});
  fs::create_directory(folder_ / "elsewhere");
  fs::create_symlink("elsewhere", folder_ / "link");
  const std::string leftover = folder_ / "elsewhere/.casvit-extract.part-1-0";
  write_text(leftover + "/A/x.jpg", "half");
  {
    const FileDescriptor held(::open(leftover.c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_EQ(::flock(held.get(), LOCK_EX | LOCK_NB), 0);  // somebody is at work there
    EXPECT_THROW(extract({file_}, folder_ / "link", 1, no_progress), UsageError);
  }
  EXPECT_EQ(extract({file_}, folder_ / "link/", 1, no_progress).pictures, 2U);
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(files_below(folder_ / "elsewhere"), (std::vector<std::string>{"A/x.jpg", "A/y.jpg"}));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "elsewhere"), {}), 1);
  EXPECT_EQ(folder_.names(), (std::vector<std::string>{"a.h5", "elsewhere", "link"}));
}

TEST_F(Extract, CanBeEndedBeforeAnythingIsWritten) {
  pack({"A/x.jpg"});
  class Stop {};
  EXPECT_THROW(extract({file_, folder_ / "none.h5"}, folder_ / "out", 1,
                       [](std::uint64_t, std::uint64_t) { throw Stop(); }),
               Stop);
}

TEST_F(Extract, NothingIsOverwritten) {
  pack({"A/x.jpg"});
  write_text(folder_ / "full/other", "kept");
  EXPECT_THROW(extract({file_}, folder_ / "full", 1, no_progress), UsageError);
  EXPECT_THROW(extract({file_}, file_, 1, no_progress), UsageError);
  fs::create_symlink(folder_ / "nowhere", folder_ / "link");
  EXPECT_THROW(extract({file_}, folder_ / "link", 1, no_progress), UsageError);
  EXPECT_EQ(folder_.names(), (std::vector<std::string>{"a.h5", "full", "link"}));
}

}  // namespace
}  // namespace casvit::dataio
