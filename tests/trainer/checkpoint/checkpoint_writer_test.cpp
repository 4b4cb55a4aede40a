#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "tests/trainer/checkpoint/example_tensors.h"
#include "tests/trainer/checkpoint/scratch_folder.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using Kind = CheckpointWriter::Kind;

ino_t inode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_ino;
}

TEST(CheckpointWriter, NamesFilesByEpochAndStep) {
  const ScratchFolder run;
  CheckpointWriter writer(run.path(), 0);
  writer.save(example_checkpoint(70), Kind::kEpoch, false);
  writer.save(example_checkpoint(200), Kind::kStep, false);
  writer.save(example_checkpoint(123456), Kind::kEpoch, false);
  writer.save(example_checkpoint(1234567890), Kind::kStep, false);
  writer.wait();
  EXPECT_THAT(names_in(run / "checkpoints"),
              UnorderedElementsAre("epoch-0007.safetensors", "step-00000200.safetensors",
                                   "epoch-12345.safetensors", "step-1234567890.safetensors",
                                   "last.safetensors"));
}

TEST(CheckpointWriter, BestAndLastAreTheSameFilesAsTheNumbered) {
  const ScratchFolder run;
  CheckpointWriter writer(run.path(), 0);
  const auto inode = [&](const std::string& name) {
    return inode_of(run / ("checkpoints/" + name));
  };
  writer.save(example_checkpoint(10), Kind::kEpoch, true);
  writer.save(example_checkpoint(20), Kind::kEpoch, false);
  writer.wait();
  EXPECT_EQ(inode("best.safetensors"), inode("epoch-0001.safetensors"));
  EXPECT_EQ(inode("last.safetensors"), inode("epoch-0002.safetensors"));
  writer.save(example_checkpoint(30), Kind::kEpoch, true);
  writer.wait();
  EXPECT_EQ(inode("best.safetensors"), inode("epoch-0003.safetensors"));
  EXPECT_EQ(inode("last.safetensors"), inode("epoch-0003.safetensors"));
}

TEST(CheckpointWriter, PrunesTheOldestButNotTheBest) {
  const ScratchFolder run;
  {
    CheckpointWriter writer(run.path(), 2);
    for (const std::int64_t step : {10, 20, 25, 30}) {
      writer.save(example_checkpoint(step), step == 25 ? Kind::kStep : Kind::kEpoch, step == 10);
    }
  }
  EXPECT_THAT(names_in(run / "checkpoints"),
              UnorderedElementsAre("step-00000025.safetensors", "epoch-0003.safetensors",
                                   "best.safetensors", "last.safetensors"));
  EXPECT_EQ(read_checkpoint(run / "checkpoints/best.safetensors").info.step, 10);
  EXPECT_EQ(read_checkpoint(run / "checkpoints/last.safetensors").info.step, 30);
}

TEST(CheckpointWriter, PrunesFilesOfEarlierWriters) {
  const ScratchFolder run;
  for (const std::int64_t step : {10, 20, 30, 40}) {
    CheckpointWriter writer(run.path(), 2);
    writer.save(example_checkpoint(step), Kind::kEpoch, false);
  }
  EXPECT_THAT(
      names_in(run / "checkpoints"),
      UnorderedElementsAre("epoch-0003.safetensors", "epoch-0004.safetensors", "last.safetensors"));
}

// A run resumed from an older checkpoint leaves later ones behind: those go first, never the new.
TEST(CheckpointWriter, PrunesLaterStepsOfAnAbandonedLineFirst) {
  const ScratchFolder run;
  {
    CheckpointWriter writer(run.path(), 3);
    for (const std::int64_t step : {10, 60, 70}) {
      writer.save(example_checkpoint(step), Kind::kEpoch, false);
    }
  }
  CheckpointWriter writer(run.path(), 3);
  writer.save(example_checkpoint(20), Kind::kEpoch, false);
  writer.save(example_checkpoint(30), Kind::kEpoch, false);
  writer.wait();
  EXPECT_THAT(names_in(run / "checkpoints"),
              UnorderedElementsAre("epoch-0001.safetensors", "epoch-0002.safetensors",
                                   "epoch-0003.safetensors", "last.safetensors"));
}

TEST(CheckpointWriter, LeavesFilesThatAreNotItsOwn) {
  const ScratchFolder run;
  fs::create_directories(run / "checkpoints");
  for (const char* name : {"notes.txt", "mine.safetensors", "epoch-0001.safetensors", ".hidden"}) {
    write_bytes(run / ("checkpoints/" + std::string(name)), "not a checkpoint");
  }
  CheckpointWriter writer(run.path(), 1);
  writer.save(example_checkpoint(20), Kind::kEpoch, false);
  writer.save(example_checkpoint(30), Kind::kEpoch, false);
  writer.wait();
  EXPECT_THAT(names_in(run / "checkpoints"),
              UnorderedElementsAre("notes.txt", "mine.safetensors", "epoch-0001.safetensors",
                                   ".hidden", "epoch-0003.safetensors", "last.safetensors"));
}

TEST(CheckpointWriter, SavesTheValuesOfTheCall) {
  const ScratchFolder run;
  CheckpointWriter writer(run.path(), 0);
  Checkpoint checkpoint = example_checkpoint(10, 1 << 20);
  for (auto& [name, tensor] : checkpoint.tensors) {
    if (tensor.dim() == 1)
      tensor = tensor.view({64, -1, 8, 8}).contiguous(at::MemoryFormat::ChannelsLast);
  }
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : checkpoint.tensors) before[name] = tensor.clone();
  writer.save(checkpoint, Kind::kEpoch, false);
  for (auto& [name, tensor] : checkpoint.tensors) tensor.zero_();
  checkpoint.info.step = 11;
  writer.wait();
  const Checkpoint saved = read_checkpoint(run / "checkpoints/last.safetensors");
  EXPECT_EQ(saved.info.step, 10);
  for (const auto& [name, tensor] : saved.tensors) {
    EXPECT_TRUE(same_bytes(tensor, before.at(name))) << name;
  }
}

TEST(CheckpointWriter, SameNameIsReplaced) {
  const ScratchFolder run;
  CheckpointWriter writer(run.path(), 2);
  writer.save(example_checkpoint(10), Kind::kEpoch, true);
  writer.save(example_checkpoint(12), Kind::kEpoch, false);
  writer.wait();
  EXPECT_EQ(read_checkpoint(run / "checkpoints/epoch-0001.safetensors").info.step, 12);
  EXPECT_EQ(read_checkpoint(run / "checkpoints/best.safetensors").info.step, 10);
}

TEST(CheckpointWriter, RemovesUnfinishedFilesOfAKilledWriter) {
  const ScratchFolder run;
  fs::create_directories(run / "checkpoints");
  write_bytes(run / "checkpoints/.last.safetensors.4711.0.tmp", "half");
  write_bytes(run / "checkpoints/.epoch-0003.safetensors.1.12.tmp", "half");
  write_bytes(run / "checkpoints/.notes.tmp", "somebody's");
  const CheckpointWriter writer(run.path(), 1);
  EXPECT_THAT(names_in(run / "checkpoints"), ElementsAre(".notes.tmp"));
}

TEST(CheckpointWriter, FolderThatCannotBeMadeIsAnOutputError) {
  const ScratchFolder run;
  write_bytes(run / "file", "");
  EXPECT_THAT(message_of<OutputError>([&] { CheckpointWriter(run / "file", 1); }),
              AllOf(HasSubstr(run / "file"), HasSubstr("Not a directory")));
}

TEST(NewestCheckpoint, NoneWhereThereIsNone) {
  const ScratchFolder run;
  EXPECT_EQ(newest_checkpoint(run / "missing", nullptr), std::nullopt);
  EXPECT_EQ(newest_checkpoint(run.path(), nullptr), std::nullopt);
  fs::create_directories(run / "checkpoints");
  EXPECT_EQ(newest_checkpoint(run.path(), nullptr), std::nullopt);
}

TEST(NewestCheckpoint, GoesByStepNotByNameOrTime) {
  const ScratchFolder run;
  fs::create_directories(run / "checkpoints");
  write_checkpoint(run / "checkpoints/step-00000250.safetensors", example_checkpoint(250));
  write_checkpoint(run / "checkpoints/epoch-0020.safetensors", example_checkpoint(200));
  write_checkpoint(run / "checkpoints/last.safetensors", example_checkpoint(250));
  std::vector<std::string> warnings;
  EXPECT_EQ(newest_checkpoint(run.path(), &warnings),
            run / "checkpoints/step-00000250.safetensors");
  EXPECT_TRUE(warnings.empty());
  // A kill between the file and its numbered name leaves the newest as `last` only.
  write_checkpoint(run / "checkpoints/last.safetensors", example_checkpoint(300));
  EXPECT_EQ(newest_checkpoint(run.path(), &warnings), run / "checkpoints/last.safetensors");
}

TEST(NewestCheckpoint, PassesOverTornAndCorruptFilesWithAWarningEach) {
  const ScratchFolder run;
  {
    CheckpointWriter writer(run.path(), 0);
    for (const std::int64_t step : {10, 20, 30, 40}) {
      writer.save(example_checkpoint(step), Kind::kEpoch, false);
    }
  }
  const auto path = [&](const std::string& name) { return run / ("checkpoints/" + name); };
  fs::remove(path("last.safetensors"));
  std::string bytes = read_bytes(path("epoch-0003.safetensors"));
  bytes.back() ^= 1;
  write_bytes(path("epoch-0003.safetensors"), bytes);
  fs::resize_file(path("epoch-0004.safetensors"), 100);
  write_bytes(path("epoch-0005.safetensors"), "");
  fs::create_directory(path("epoch-0006.safetensors"));
  std::vector<std::string> warnings;
  EXPECT_EQ(newest_checkpoint(run.path(), &warnings), path("epoch-0002.safetensors"));
  EXPECT_THAT(warnings, UnorderedElementsAre(HasSubstr("epoch-0003"), HasSubstr("epoch-0004"),
                                             HasSubstr("epoch-0005"), HasSubstr("epoch-0006")));
}

TEST(NewestCheckpoint, SaysOnceThatAFileOfTwoNamesIsCorrupt) {
  const ScratchFolder run;
  {
    CheckpointWriter writer(run.path(), 0);
    writer.save(example_checkpoint(10), Kind::kEpoch, true);
  }
  fs::resize_file(run / "checkpoints/epoch-0001.safetensors", 100);
  std::vector<std::string> warnings;
  EXPECT_EQ(newest_checkpoint(run.path(), &warnings), std::nullopt);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("epoch-0001")));
}

}  // namespace
}  // namespace casvit::trainer
