// Event files: records, when they reach the file, names in the order of starts, and failures.

#include "trainer/telemetry/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "../report/temporary_folder.h"
#include "trainer/error.h"
#include "trainer/telemetry/crc32c.h"

namespace casvit::trainer {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::uint64_t number_at(const std::string& bytes, std::size_t at, int length) {
  std::uint64_t value = 0;
  for (int i = length - 1; i >= 0; --i) {
    value = value << 8U | static_cast<unsigned char>(bytes.at(at + static_cast<std::size_t>(i)));
  }
  return value;
}

/// The events of a file, whose every sum is right.
std::vector<std::string> events_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<std::string> events;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = number_at(bytes, at, 8);
    EXPECT_EQ(number_at(bytes, at + 8, 4), masked_crc32c(bytes.substr(at, 8)));
    events.push_back(bytes.substr(at + 12, length));
    EXPECT_EQ(number_at(bytes, at + 12 + length, 4), masked_crc32c(events.back()));
    at += length + 16;
  }
  return events;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder + "/tensorboard")) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

Summary one_scalar() {
  Summary summary;
  summary.scalar("train/loss", 1);
  return summary;
}

TEST(EventLog, BeginsWithVersionAndTheStepThatItCountsFrom) {
  const TemporaryFolder folder;
  const EventLog log(folder.path(), 41, "host");
  const std::vector<std::string> events = events_of(log.path());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_THAT(events[0], HasSubstr("brain.Event:2"));
  EXPECT_THAT(events[1], HasSubstr("\x10\x2a\x3a\x02\x08\x01"));  // step 42, session_log START
}

TEST(EventLog, GathersEventsUntilItIsFlushed) {
  const TemporaryFolder folder;
  EventLog log(folder.path(), 0, "host");
  log.add(1, one_scalar());
  log.add(2, Summary());
  EXPECT_EQ(events_of(log.path()).size(), 2U);
  log.flush();
  ASSERT_EQ(events_of(log.path()).size(), 3U);
  EXPECT_THAT(events_of(log.path())[2], HasSubstr("train/loss"));
  log.flush();
  EXPECT_EQ(events_of(log.path()).size(), 3U);
  Summary large;
  large.text("text", std::string(300 << 10, 'x'));
  log.add(3, large);
  EXPECT_EQ(events_of(log.path()).size(), 4U);
}

TEST(EventLog, EachStartHasAFileThatSortsBehindThoseBefore) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() + "/tensorboard");
  // As if written by a host whose clock is far ahead.
  std::ofstream(folder.path() + "/tensorboard/events.out.tfevents.4000000000.ahead.9") << "";
  { const EventLog log(folder.path(), 5, "host"); }
  { const EventLog log(folder.path(), 5, "a"); }
  EXPECT_THAT(names_in(folder.path()),
              ElementsAre("events.out.tfevents.4000000000.ahead.9",
                          HasSubstr("events.out.tfevents.4000000001.host."),
                          HasSubstr("events.out.tfevents.4000000002.a.")));
}

TEST(EventLog, AStartFromNothingRemovesEventFilesAndNothingElse) {
  const TemporaryFolder folder;
  { const EventLog log(folder.path(), 0, "host"); }
  std::ofstream(folder.path() + "/tensorboard/notes.txt") << "mine";
  const EventLog log(folder.path(), 0, "again");
  EXPECT_THAT(names_in(folder.path()),
              ElementsAre(fs::path(log.path()).filename().string(), "notes.txt"));
}

TEST(EventLog, FailuresNameTheFile) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() + "/tensorboard") << "in the way";
  try {
    const EventLog log(folder.path(), 0, "host");
    FAIL() << "accepted";
  } catch (const OutputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(folder.path() + "/tensorboard"));
  }
}

void fill_a_disk(const std::string& folder) {
  std::signal(SIGXFSZ, SIG_IGN);
  EventLog log(folder, 0, "host");
  const rlimit limit{1000, 1000};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  try {
    for (int step = 1; step < 100; ++step) log.add(step, one_scalar());
    log.flush();
  } catch (const OutputError& error) {
    std::cerr << error.what();
    std::exit(6);
  }
  std::exit(0);
}

TEST(EventLog, AFullDiskIsAnOutputError) {
  const TemporaryFolder folder;
  EXPECT_EXIT(fill_a_disk(folder.path()), ::testing::ExitedWithCode(6),
              "cannot write .*events.out.tfevents");
}

}  // namespace
}  // namespace casvit::trainer
