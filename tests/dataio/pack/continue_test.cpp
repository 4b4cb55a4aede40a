// Packing that is interrupted and continued, within one process; pack_survives_kill.py does it to
// the program with SIGKILL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "dataio/container/dataset.h"
#include "dataio/error.h"
#include "dataio/pack/journal.h"
#include "dataio/pack/packer.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Stop : public std::exception {};

class ContinueTest : public ::testing::Test {
 protected:
  ContinueTest() {
    make_image_folder(folder_ / "in", {"a", "b"}, 30);
    write_text(folder_ / "in/b/10x.jpg", "no picture");
    options_.source = folder_ / "in";
    options_.output = folder_ / "out.h5";
    options_.workers = 2;
    options_.created = "then";
    options_.tool_version = "test";
    options_.command_line = "as typed";
    options_.split = parse_split("train=0.8,val=0.2");
  }

  /// Packs until all is packed, and interrupts instead of sealing.
  void interrupt() const {
    EXPECT_THROW(pack(options_,
                      [](const std::string& phase, auto done, auto total) {
                        if (phase == "packing" && done == total) throw Stop();
                      }),
                 Stop);
  }

  std::string refusal() const {
    try {
      static_cast<void>(pack(options_, [](auto, auto, auto) {}));
    } catch (const UsageError& error) {
      return std::string("usage: ") + error.what();
    } catch (const InputError& error) {
      return std::string("input: ") + error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  PackOptions options_;
};

TEST_F(ContinueTest, GivesTheFilesOfAnUndisturbedPacking) {
  static_cast<void>(pack(options_, [](auto, auto, auto) {}));
  const Bytes train = file_bytes(folder_ / "out.train.h5");
  const Bytes val = file_bytes(folder_ / "out.val.h5");
  fs::remove(folder_ / "out.train.h5");
  fs::remove(folder_ / "out.val.h5");
  interrupt();
  EXPECT_THAT(folder_.names(),
              ElementsAre(".out.h5.journal", ".out.train.h5.part", ".out.val.h5.part", "in"));
  options_.created = "later";  // the journal knows better
  options_.command_line = "as typed --workers 3";
  options_.workers = 3;
  std::uint64_t continued = 0;
  options_.on_continue = [&continued](std::uint64_t done, std::uint64_t) { continued = done; };
  const PackResult result = pack(options_, [](auto, auto, auto) {});
  EXPECT_EQ(continued, 61U);
  EXPECT_EQ(result.continued, 61U);
  EXPECT_EQ(result.rejected.size(), 1U);
  EXPECT_EQ(file_bytes(folder_ / "out.train.h5"), train);
  EXPECT_EQ(file_bytes(folder_ / "out.val.h5"), val);
  EXPECT_THAT(folder_.names(), ElementsAre("in", "out.train.h5", "out.val.h5"));
}

TEST_F(ContinueTest, PacksAgainWhatIsNotAsTheJournalSays) {
  static_cast<void>(pack(options_, [](auto, auto, auto) {}));
  const Bytes train = file_bytes(folder_ / "out.train.h5");
  interrupt();
  // As after a crash of the machine: the journal is there, some of the pictures are not.
  Bytes part = file_bytes(folder_ / ".out.train.h5.part");
  std::fill(part.begin() + static_cast<long>(part.size() / 2), part.end(), 0);
  write_file(folder_ / ".out.train.h5.part", part);
  const PackResult result = pack(options_, [](auto, auto, auto) {});
  EXPECT_GT(result.continued, 5U);
  EXPECT_LT(result.continued, 50U);
  EXPECT_EQ(file_bytes(folder_ / "out.train.h5"), train);
}

TEST_F(ContinueTest, BeginsAnewWithoutItsPictures) {
  interrupt();
  fs::remove(folder_ / ".out.val.h5.part");
  EXPECT_EQ(pack(options_, [](auto, auto, auto) {}).continued, 0U);
  EXPECT_EQ(Dataset({folder_ / "out.val.h5"}).size(), 12U);
}

TEST_F(ContinueTest, RefusesAnotherRequestUnlessToldToRestart) {
  interrupt();
  const auto names = folder_.names();
  PackOptions asked = options_;
  options_.storage.quality = 50;
  EXPECT_THAT(refusal(), HasSubstr("usage: a packing to " + (folder_ / "out.h5") +
                                   " was interrupted that began at then with another command"));
  EXPECT_THAT(refusal(), HasSubstr("as typed; run that again"));
  options_ = asked;
  options_.seed = 1;
  EXPECT_THAT(refusal(), HasSubstr("--restart to discard it"));
  EXPECT_EQ(folder_.names(), names);  // nothing was lost by asking
  options_.split.clear();
  options_.restart = true;
  EXPECT_EQ(pack(options_, [](auto, auto, auto) {}).continued, 0U);
  EXPECT_THAT(folder_.names(), ElementsAre("in", "out.h5"));
}

TEST_F(ContinueTest, RefusesPicturesThatChanged) {
  interrupt();
  write_file(folder_ / "in/b/3.jpg", photograph(29));
  EXPECT_THAT(refusal(), HasSubstr("input: " + (folder_ / "in/b/3.jpg") +
                                   " has changed since the packing was interrupted"));
  write_file(folder_ / "in/b/new.jpg", photograph(28));
  EXPECT_THAT(refusal(), HasSubstr("set of pictures"));
  options_.restart = true;
  EXPECT_EQ(refusal(), "");
}

/// Ended between the names of two files: the first is there, the other waits.
TEST_F(ContinueTest, FinishesGivingNames) {
  static_cast<void>(pack(options_, [](auto, auto, auto) {}));
  const Bytes val = file_bytes(folder_ / "out.val.h5");
  fs::remove(folder_ / "out.train.h5");
  fs::remove(folder_ / "out.val.h5");
  options_.before_publish = [this](const PackResult&) {
    fs::create_directories(folder_ / "out.val.h5/in-the-way");
  };
  EXPECT_THROW(pack(options_, [](auto, auto, auto) {}), OutputError);
  EXPECT_THAT(folder_.names(), ElementsAre(".out.h5.journal", ".out.val.h5.part", "in",
                                           "out.train.h5", "out.val.h5"));
  fs::remove_all(folder_ / "out.val.h5");
  const auto written = fs::last_write_time(folder_ / "out.train.h5");
  const PackResult result = pack(options_, [](auto, auto, auto) {});
  EXPECT_EQ(result.continued, 61U);
  EXPECT_EQ(result.files[1].samples, 12U);
  EXPECT_EQ(result.files[1].file_bytes, val.size());
  EXPECT_EQ(result.rejected.size(), 1U);
  EXPECT_EQ(file_bytes(folder_ / "out.val.h5"), val);
  EXPECT_EQ(fs::last_write_time(folder_ / "out.train.h5"), written);
  EXPECT_THAT(folder_.names(), ElementsAre("in", "out.train.h5", "out.val.h5"));
}

/// As FinishesGivingNames, but what waits for its name is not what was sealed: a crash took its
/// end.
TEST_F(ContinueTest, NamesNothingThatIsNotWhatWasSealed) {
  static_cast<void>(pack(options_, [](auto, auto, auto) {}));
  const Bytes train = file_bytes(folder_ / "out.train.h5");
  const Bytes val = file_bytes(folder_ / "out.val.h5");
  for (const double kept : {0.0, 0.5, 0.999}) {
    fs::remove(folder_ / "out.train.h5");
    fs::remove(folder_ / "out.val.h5");
    options_.before_publish = [this](const PackResult&) {
      fs::create_directories(folder_ / "out.val.h5/in-the-way");
    };
    EXPECT_THROW(pack(options_, [](auto, auto, auto) {}), OutputError);
    fs::remove_all(folder_ / "out.val.h5");
    fs::resize_file(folder_ / ".out.val.h5.part",
                    static_cast<std::uintmax_t>(static_cast<double>(val.size()) * kept));
    options_.before_publish = nullptr;
    static_cast<void>(pack(options_, [](auto, auto, auto) {}));
    EXPECT_EQ(file_bytes(folder_ / "out.train.h5"), train) << kept;
    EXPECT_EQ(file_bytes(folder_ / "out.val.h5"), val) << kept;
    EXPECT_THAT(folder_.names(), ElementsAre("in", "out.train.h5", "out.val.h5"));
  }
}

TEST_F(ContinueTest, TakesBackWhatTheJournalSaysBeforeItEmptiesWhatItIsAbout) {
  interrupt();
  fs::remove(folder_ / ".out.val.h5.part");
  fs::create_symlink("nowhere", folder_ / ".out.val.h5.part");  // which is not followed
  EXPECT_THROW(pack(options_, [](auto, auto, auto) {}), OutputError);
  ASSERT_EQ(fs::file_size(folder_ / ".out.train.h5.part"), 0U);
  JournalState state;
  ASSERT_TRUE(Journal::open(folder_ / ".out.h5.journal", state));
  EXPECT_EQ(state.records, "");
}

/// The lock is the journal's: whoever gets it must not lose what it then makes to us.
TEST_F(ContinueTest, AFailureRemovesTheJournalLast) {
  options_.on_error = OnError::kFail;
  const FileDescriptor watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(::inotify_add_watch(watch.get(), folder_.path().c_str(), IN_DELETE), 0);
  EXPECT_THROW(pack(options_, [](auto, auto, auto) {}), InputError);
  std::vector<std::string> removed;
  alignas(inotify_event) std::array<char, 4096> events{};
  const ssize_t bytes = ::read(watch.get(), events.data(), events.size());
  for (ssize_t at = 0; at < bytes;) {
    const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
    removed.emplace_back(event->name);
    at += static_cast<ssize_t>(sizeof *event + event->len);
  }
  EXPECT_THAT(removed, ElementsAre(".out.train.h5.part", ".out.val.h5.part", ".out.h5.journal"));
}

}  // namespace
}  // namespace casvit::dataio
