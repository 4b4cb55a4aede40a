#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "dataio/container/reader.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  int exit_code = -1;  ///< 128 + signal where a signal ended it
  std::string out;
  std::string err;
};

std::string text_of(const std::string& path) {
  const Bytes bytes = file_bytes(path);
  return {bytes.begin(), bytes.end()};
}

/// The program itself, with its output caught.
class CasvitPack : public ::testing::Test {
 protected:
  CasvitPack() { make_image_folder(in_, {"Birch", "Mais"}, 3); }

  static std::string program() {
    const char* folder = std::getenv("CASVIT_BIN");
    return std::string(folder != nullptr ? folder : "bin") + "/casvit-pack";
  }

  /// @param arguments as a shell takes them. @param prefix e.g. variables
  Outcome run(const std::string& arguments, const std::string& prefix = "") const {
    const std::string out = folder_ / "stdout";
    const std::string err = folder_ / "stderr";
    const std::string command =
        prefix + " '" + program() + "' " + arguments + " >'" + out + "' 2>'" + err + "'";
    const int status = std::system(command.c_str());
    Outcome outcome{WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(out), text_of(err)};
    fs::remove(out);
    fs::remove(err);
    return outcome;
  }

  TemporaryFolder folder_;
  const std::string in_ = folder_ / "in";
  const std::string h5_ = folder_ / "out.h5";
};

TEST_F(CasvitPack, PacksWithOrWithoutTheWord) {
  const Outcome packed = run("pack " + in_ + " -o " + h5_);
  EXPECT_EQ(packed.exit_code, 0) << packed.err;
  EXPECT_THAT(packed.out, AllOf(HasSubstr("Birch"), HasSubstr("6 pictures"), HasSubstr("out.h5")));
  EXPECT_EQ(packed.err, "");
  EXPECT_EQ(run(in_ + " -o " + (folder_ / "short.h5")).exit_code, 0);
  EXPECT_EQ(ContainerReader(folder_ / "short.h5").index().samples(), 6U);
  EXPECT_THAT(folder_.names(), ElementsAre("in", "out.h5", "short.h5"));
}

TEST_F(CasvitPack, GivesTheSameFileForTheSameCommand) {
  const std::string epoch = "SOURCE_DATE_EPOCH=1700000000";
  ASSERT_EQ(run(in_ + " -o " + h5_, epoch).exit_code, 0);
  const Bytes first = file_bytes(h5_);
  ASSERT_EQ(run(in_ + " -o " + h5_, epoch).exit_code, 0);
  EXPECT_EQ(file_bytes(h5_), first);
  EXPECT_EQ(ContainerReader(h5_).attributes().created, "2023-11-14T22:13:20Z");
  EXPECT_EQ(run(in_ + " -o " + h5_, "SOURCE_DATE_EPOCH=soon").exit_code, 2);
}

TEST_F(CasvitPack, StoresWhatWasAskedFor) {
  ASSERT_EQ(run(in_ + " -o " + h5_ + " --mean 0.3281,0.2894,0.207 --std 0.1,0.2,0.3").exit_code, 0);
  const ContainerReader reader(h5_);
  EXPECT_EQ(reader.attributes().normalization.mean, (std::array{0.3281F, 0.2894F, 0.207F}));
  EXPECT_EQ(reader.attributes().normalization.std, (std::array{0.1F, 0.2F, 0.3F}));
  EXPECT_EQ(reader.attributes().command_line,
            "casvit-pack " + in_ + " -o " + h5_ + " --mean 0.3281,0.2894,0.207 --std 0.1,0.2,0.3");
  EXPECT_THAT(reader.attributes().tool_version, StartsWith("casvit-pack "));
}

TEST_F(CasvitPack, SplitsAndPrintsJson) {
  const Outcome packed =
      run("pack " + in_ + " -o " + h5_ + " --split train=0.7,val=0.3 --seed 3 --json");
  ASSERT_EQ(packed.exit_code, 0) << packed.err;
  const auto json = nlohmann::json::parse(packed.out);
  ASSERT_EQ(json["files"].size(), 2U);
  EXPECT_EQ(json["files"][0]["path"], folder_ / "out.train.h5");
  EXPECT_EQ(json["files"][0]["class_counts"], (std::vector<int>{2, 2}));
  EXPECT_EQ(json["files"][1]["samples"], 2);
  EXPECT_EQ(json["classes"], (std::vector<std::string>{"Birch", "Mais"}));
  EXPECT_TRUE(json["rejected"].empty());
  EXPECT_FALSE(fs::exists(h5_));
}

TEST_F(CasvitPack, QuarantinesBadPicturesAndReportsThem) {
  write_text(in_ + "/Mais/text.jpg", "no picture");
  write_text(in_ + "/Mais/notes.txt", "no picture");
  const Outcome packed = run(in_ + " -o " + h5_);
  ASSERT_EQ(packed.exit_code, 0) << packed.err;
  EXPECT_THAT(packed.out, AllOf(HasSubstr("rejected: 1 (all in " + h5_ + ".rejected.json)"),
                                HasSubstr("Mais/text.jpg: "),
                                HasSubstr("ignored: 1 not a picture by name (Mais/notes.txt)")));
  const auto report = nlohmann::json::parse(text_of(h5_ + ".rejected.json"));
  ASSERT_EQ(report["rejected"].size(), 1U);
  EXPECT_EQ(report["rejected"][0]["path"], "Mais/text.jpg");
  EXPECT_THAT(report["rejected"][0]["reason"].get<std::string>(), HasSubstr("not a JPEG"));
  fs::remove(in_ + "/Mais/text.jpg");
  ASSERT_EQ(run(in_ + " -o " + h5_).exit_code, 0);
  EXPECT_FALSE(fs::exists(h5_ + ".rejected.json"));  // an old report would mislead
}

TEST_F(CasvitPack, FailsOnABadPictureWhenAskedTo) {
  write_text(in_ + "/Mais/text.jpg", "no picture");
  const Outcome packed = run(in_ + " -o " + h5_ + " --on-error fail");
  EXPECT_EQ(packed.exit_code, 3);
  EXPECT_THAT(packed.err, AllOf(StartsWith("casvit-pack: "), HasSubstr(in_ + "/Mais/text.jpg")));
  EXPECT_THAT(folder_.names(), ElementsAre("in"));
}

TEST_F(CasvitPack, TellsUsageFromInputFromOutput) {
  fs::create_directory(folder_ / "empty");
  const Outcome empty = run((folder_ / "empty") + " -o " + h5_);
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_THAT(empty.err, HasSubstr("is empty"));
  const Outcome missing = run((folder_ / "none") + " -o " + h5_);
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_THAT(missing.err, HasSubstr("there is no folder " + (folder_ / "none")));
  const Outcome endless = run(std::string(5000, 'x') + " -o " + h5_);
  EXPECT_EQ(endless.exit_code, 3);
  EXPECT_THAT(endless.err, HasSubstr("File name too long"));
  const Outcome nowhere = run(in_ + " -o " + (folder_ / "none/out.h5"));
  EXPECT_EQ(nowhere.exit_code, 6);
  EXPECT_THAT(nowhere.err, HasSubstr("none"));
  fs::create_directory(in_ + "/Vacant");
  const Outcome vacant = run(in_ + " -o " + h5_);
  EXPECT_EQ(vacant.exit_code, 2);
  EXPECT_THAT(vacant.err, AllOf(HasSubstr("'Vacant'"), HasSubstr("--allow-empty-classes")));
  EXPECT_EQ(run(in_ + " -o " + h5_ + " --allow-empty-classes").exit_code, 0);
}

TEST_F(CasvitPack, RefusesOptionsThatMakeNoSense) {
  const std::string pack = "pack " + in_ + " -o " + h5_;
  for (const char* options :
       {"--on-error ignore", "--workers 0", "--workers x", "--seed 1", "--split train=0.8,val=0.3",
        "--split ''", "--mean 0.1,0.2", "--std 0.1,0,0.1", "--mean nan,0,0", "--resize 0",
        "--quality 101", "--raw 64 --resize 64", "--quality 50 --baseline", "--no-stratify",
        "--root /", "--max-pixels 0", "extra"}) {
    const Outcome outcome = run(pack + " " + options);
    EXPECT_EQ(outcome.exit_code, 2) << options;
    EXPECT_THAT(outcome.err, StartsWith("casvit-pack: ")) << options;
  }
  EXPECT_EQ(run("pack " + in_).exit_code, 2);
  const Outcome nothing = run("");
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("for example: casvit-pack photos -o photos.h5"));
  const Outcome misspelt = run("verfy " + h5_);
  EXPECT_EQ(misspelt.exit_code, 2);
  EXPECT_THAT(misspelt.err, HasSubstr("'verfy' is neither a folder nor a command"));
  EXPECT_FALSE(fs::exists(h5_));
}

TEST_F(CasvitPack, TellsWhatAFileHolds) {
  ASSERT_EQ(run(in_ + " -o " + h5_).exit_code, 0);
  const Outcome info = run("info " + h5_);
  EXPECT_EQ(info.exit_code, 0);
  EXPECT_THAT(info.out, AllOf(HasSubstr("2 classes"), HasSubstr("150"), HasSubstr("Mais")));
  const auto json = nlohmann::json::parse(run("info --json " + h5_).out);
  EXPECT_EQ(json["files"][0]["samples"], 6);
  EXPECT_EQ(json["files"][0]["height"], (std::vector<int>{150, 150}));
  EXPECT_EQ(run("info " + (folder_ / "none.h5")).exit_code, 3);
}

TEST_F(CasvitPack, VerifyNamesADamagedSampleAndItsSource) {
  ASSERT_EQ(run(in_ + " -o " + h5_).exit_code, 0);
  const Outcome whole = run("verify --decode " + h5_);
  EXPECT_EQ(whole.exit_code, 0);
  EXPECT_THAT(whole.out, HasSubstr("6 samples, all whole and decodable"));

  const Bytes source = file_bytes(in_ + "/Mais/1.jpg");
  Bytes file = file_bytes(h5_);
  const auto at = std::search(file.begin(), file.end(), source.begin(), source.end());
  ASSERT_NE(at, file.end());
  at[100] ^= 4;
  write_file(h5_, file);
  const Outcome damaged = run("verify " + h5_);
  EXPECT_EQ(damaged.exit_code, 3);
  EXPECT_THAT(damaged.err, HasSubstr(h5_ + ": sample 4 (Mais/1.jpg) is damaged"));
  const Outcome as_json = run("verify --json " + h5_);
  EXPECT_EQ(as_json.exit_code, 3);
  const auto json = nlohmann::json::parse(as_json.out);
  EXPECT_EQ(json["ok"], false);
  ASSERT_EQ(json["files"][0]["damaged"].size(), 1U);
  EXPECT_EQ(json["files"][0]["damaged"][0]["sample"], 4);
  EXPECT_EQ(json["files"][0]["damaged"][0]["source"], "Mais/1.jpg");
}

TEST_F(CasvitPack, VerifyLooksAtEveryFile) {
  ASSERT_EQ(run(in_ + " -o " + h5_).exit_code, 0);
  const Outcome outcome = run("verify --json " + (folder_ / "none.h5") + " " + h5_);
  EXPECT_EQ(outcome.exit_code, 3);
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_THAT(json["files"][0]["error"].get<std::string>(), HasSubstr("No such file"));
  EXPECT_EQ(json["files"][1]["ok"], true);
}

TEST_F(CasvitPack, HelpsWithAnExampleFirst) {
  for (const char* command :
       {"", "pack ", "info ", "verify ", "stats ", "leaks ", "extract ", "preview "}) {
    const Outcome help = run(std::string(command) + "--help");
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_THAT(help.out, StartsWith("Example: casvit-pack")) << command;
    const Outcome version = run(std::string(command) + "--version");
    EXPECT_EQ(version.exit_code, 0) << command;
    EXPECT_THAT(version.out, AllOf(StartsWith("casvit-pack "), HasSubstr("HDF5"))) << command;
  }
}

TEST_F(CasvitPack, SaysWhenItsOutputIsLost) {
  ASSERT_EQ(run(in_ + " -o " + h5_).exit_code, 0);
  const std::string command = "'" + program() + "' info " + h5_ + " >/dev/full 2>/dev/null";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 6);
}

TEST_F(CasvitPack, ContinuesWhenInterrupted) {
  // Many pictures, on one thread: there is time to interrupt between the first byte and the last.
  for (int i = 0; i < 8000; ++i) {
    fs::create_symlink("0.jpg", in_ + "/Mais/link" + std::to_string(i) + ".jpg");
  }
  std::vector<std::string> words{program(), in_, "-o", h5_, "--workers", "1", "--resize", "100"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  ASSERT_EQ(::posix_spawn(&child, program().c_str(), nullptr, nullptr, arguments.data(), environ),
            0);
  const std::string journal = folder_ / ".out.h5.journal";
  int status = 0;
  std::error_code none_yet;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    const auto size = fs::file_size(journal, none_yet);
    if (!none_yet && size > 5000) break;  // some pictures are done
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::kill(child, SIGTERM);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
  EXPECT_THAT(folder_.names(), ElementsAre(".out.h5.journal", ".out.h5.part", "in"));
  const Outcome continued = run(in_ + " -o " + h5_ + " --resize 100");
  EXPECT_EQ(continued.exit_code, 0) << continued.err;
  EXPECT_THAT(continued.err, HasSubstr("continuing an interrupted packing: "));
  EXPECT_EQ(ContainerReader(h5_).index().samples(), 8006U);
  EXPECT_THAT(folder_.names(), ElementsAre("in", "out.h5"));
}

}  // namespace
}  // namespace casvit::dataio
