#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "tests/trainer/checkpoint/example_tensors.h"
#include "tests/trainer/checkpoint/fault_injection.h"
#include "tests/trainer/checkpoint/scratch_folder.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;
using Kind = CheckpointWriter::Kind;

struct Fault {
  const char* name;
  const std::vector<long>* calls;
  int error;
  const char* reason;
};

class FailingCall : public testing::TestWithParam<Fault> {};

TEST_P(FailingCall, LeavesTheOldFileAndNothingElse) {
  const ScratchFolder folder;
  const std::string path = folder / "a.safetensors";
  write_safetensors(path, {{"old", counting({4})}}, {});
  const std::string before = read_bytes(path);
  const ChildResult child = in_child([&] {
    fail_calls(*GetParam().calls, GetParam().error);
    return message_of<OutputError>([&] {
      write_safetensors(path, {{"new", counting({1000})}}, {});
    });
  });
  EXPECT_THAT(child.message,
              AllOf(HasSubstr("cannot write " + path), HasSubstr(GetParam().reason)));
  EXPECT_EQ(read_bytes(path), before);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("a.safetensors"));
}

INSTANTIATE_TEST_SUITE_P(
    WriteSafetensors, FailingCall,
    testing::Values(Fault{"DiskFull", &kWriteCalls, ENOSPC, "No space left on device"},
                    Fault{"QuotaReached", &kWriteCalls, EDQUOT, "free some space"},
                    Fault{"FsyncFails", &kFsyncCalls, EIO, "Input/output error"},
                    Fault{"RenameFails", &kRenameCalls, EACCES, "Permission denied"}),
    [](const auto& info) { return info.param.name; });

TEST(WriteSafetensors, FolderThatIsAFileIsAnOutputError) {
  const ScratchFolder folder;
  write_bytes(folder / "file", "");
  EXPECT_THAT(message_of<OutputError>([&] { write_safetensors(folder / "file/a.st", {}, {}); }),
              AllOf(HasSubstr(folder / "file/a.st"), HasSubstr("Not a directory")));
}

/// Files of this process end at so many bytes: the kernel writes up to there, then refuses.
void limit_file_size(rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("setrlimit");
}

// The tests of failures in the middle of a file, and of what the writer does after them.
TEST(CheckpointWriterFaults, FailedSaveIsToldOnceAndTheNextSucceeds) {
  const ScratchFolder run;
  const ChildResult child = in_child([&]() -> std::string {
    CheckpointWriter writer(run.path(), 0);
    writer.save(example_checkpoint(10), Kind::kEpoch, true);
    writer.wait();
    limit_file_size(1 << 20);
    writer.save(example_checkpoint(20, 1 << 20), Kind::kEpoch, true);
    std::string message =
        message_of<OutputError>([&] { writer.save(example_checkpoint(30), Kind::kEpoch, true); });
    if (names_in(run / "checkpoints") !=
        std::set<std::string>{"best.safetensors", "epoch-0001.safetensors", "last.safetensors"}) {
      return "files changed";
    }
    if (read_checkpoint(run / "checkpoints/best.safetensors").info.step != 10)
      return "best changed";
    limit_file_size(RLIM_INFINITY);
    writer.wait();
    writer.save(example_checkpoint(40, 1 << 20), Kind::kEpoch, false);
    writer.wait();
    return message;
  });
  EXPECT_THAT(child.message, AllOf(HasSubstr("checkpoints/best.safetensors"),
                                   HasSubstr("File too large after 1048576")));
  EXPECT_THAT(names_in(run / "checkpoints"),
              UnorderedElementsAre("best.safetensors", "epoch-0001.safetensors",
                                   "epoch-0004.safetensors", "last.safetensors"));
  EXPECT_EQ(read_checkpoint(run / "checkpoints/last.safetensors").info.step, 40);
}

TEST(CheckpointWriterFaults, WaitTellsOfTheFailureToo) {
  const ScratchFolder run;
  const ChildResult child = in_child([&] {
    CheckpointWriter writer(run.path(), 0);
    fail_calls(kFsyncCalls, EIO);
    writer.save(example_checkpoint(10), Kind::kEpoch, false);
    return message_of<OutputError>([&] { writer.wait(); });
  });
  EXPECT_THAT(child.message, HasSubstr("Input/output error"));
  EXPECT_TRUE(names_in(run / "checkpoints").empty());
}

TEST(CheckpointWriterFaults, WithoutHardLinksBestAndLastAreCopies) {
  for (const int error : {EPERM, EOPNOTSUPP, EMLINK}) {
    const ScratchFolder run;
    const ChildResult child = in_child([&] {
      fail_calls(kLinkCalls, error);
      CheckpointWriter writer(run.path(), 1);
      writer.save(example_checkpoint(10), Kind::kEpoch, true);
      writer.save(example_checkpoint(20), Kind::kEpoch, false);
      writer.wait();
      return std::string("done");
    });
    ASSERT_EQ(child.message, "done");
    EXPECT_THAT(
        names_in(run / "checkpoints"),
        UnorderedElementsAre("best.safetensors", "epoch-0002.safetensors", "last.safetensors"));
    EXPECT_EQ(fs::hard_link_count(run / "checkpoints/last.safetensors"), 1U);
    EXPECT_EQ(read_checkpoint(run / "checkpoints/best.safetensors").info.step, 10);
    EXPECT_EQ(read_checkpoint(run / "checkpoints/last.safetensors").info.step, 20);
    EXPECT_EQ(read_checkpoint(run / "checkpoints/epoch-0002.safetensors").info.step, 20);
  }
}

/// What must hold after a writer was killed while it saved step 20 as the best, step 10 being
/// whole.
void expect_recovery(const ScratchFolder& run) {
  std::vector<std::string> warnings;
  const std::optional<std::string> newest = newest_checkpoint(run.path(), &warnings);
  ASSERT_TRUE(newest.has_value());
  EXPECT_TRUE(warnings.empty()) << warnings.front();
  const std::int64_t step = read_checkpoint(*newest).info.step;
  EXPECT_TRUE(step == 10 || step == 20) << step;
  // Whoever resumes from the newest knows of the best that is there.
  EXPECT_EQ(read_checkpoint(run / "checkpoints/best.safetensors").info.step, step);
  CheckpointWriter writer(run.path(), 0);
  EXPECT_THAT(names_in(run / "checkpoints"), Each(Not(StartsWith("."))));
  writer.save(example_checkpoint(30), Kind::kEpoch, false);
  writer.wait();
  EXPECT_EQ(newest_checkpoint(run.path(), nullptr), run / "checkpoints/epoch-0003.safetensors");
}

class KilledAtCall : public testing::TestWithParam<Fault> {};

TEST_P(KilledAtCall, LeavesAWholeNewestCheckpoint) {
  const ScratchFolder run;
  const ChildResult child = in_child([&] {
    CheckpointWriter writer(run.path(), 0);
    writer.save(example_checkpoint(10), Kind::kEpoch, true);
    writer.wait();
    die_at_calls(*GetParam().calls);
    writer.save(example_checkpoint(20), Kind::kEpoch, true);
    writer.wait();
    return std::string("survived");
  });
  EXPECT_EQ(child.message, "");
  ASSERT_TRUE(WIFSIGNALED(child.status));
  expect_recovery(run);
}

INSTANTIATE_TEST_SUITE_P(CheckpointWriterFaults, KilledAtCall,
                         testing::Values(Fault{"Write", &kWriteCalls, 0, ""},
                                         Fault{"Fsync", &kFsyncCalls, 0, ""},
                                         Fault{"Rename", &kRenameCalls, 0, ""},
                                         Fault{"Link", &kLinkCalls, 0, ""},
                                         Fault{"Unlink", &kUnlinkCalls, 0, ""}),
                         [](const auto& info) { return info.param.name; });

/// Bytes of a file aside in the folder, nullopt where there is none.
std::optional<std::uintmax_t> bytes_aside(const std::string& folder) {
  for (const std::string& name : names_in(folder)) {
    if (!name.starts_with('.')) continue;
    std::error_code gone;
    const std::uintmax_t bytes = fs::file_size(fs::path(folder) / name, gone);
    if (!gone) return bytes;
  }
  return std::nullopt;
}

/// kill -9 of a process of its own, at the moment when a part of the file is written.
bool kill_in_the_middle(const ScratchFolder& run) {
  constexpr std::int64_t kElements = 16 << 20;
  {
    CheckpointWriter writer(run.path(), 0);
    writer.save(example_checkpoint(10), Kind::kEpoch, true);
  }
  const pid_t child = ::fork();
  if (child == 0) {
    // Made here: LibTorch's threads, once started, do not come along into a child.
    const Checkpoint large = example_checkpoint(20, kElements);
    CheckpointWriter writer(run.path(), 0);
    writer.save(large, Kind::kEpoch, true);
    writer.wait();
    ::_exit(0);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (bytes_aside(run / "checkpoints").value_or(0) == 0 &&
         ::waitpid(child, nullptr, WNOHANG) == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const auto left = bytes_aside(run / "checkpoints");
  return left && *left > 0 && *left < 2 * kElements * sizeof(float);
}

TEST(CheckpointWriterFaults, KillInTheMiddleOfASaveLeavesThePreviousCheckpoint) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    const ScratchFolder run;
    if (!kill_in_the_middle(run)) continue;
    EXPECT_EQ(newest_checkpoint(run.path(), nullptr), run / "checkpoints/epoch-0001.safetensors");
    expect_recovery(run);
    return;
  }
  FAIL() << "no kill came in the middle of a save";
}

}  // namespace
}  // namespace casvit::trainer
