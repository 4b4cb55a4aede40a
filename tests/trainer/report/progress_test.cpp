// The progress line: what it says, when it is silent, and how it behaves on and off a terminal.

#include "trainer/report/progress.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "trainer/report/progress_line.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ProgressLine, DurationsAreShort) {
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(12.4), "12s");
  EXPECT_EQ(format_duration(59.6), "1m00s");
  EXPECT_EQ(format_duration(187), "3m07s");
  EXPECT_EQ(format_duration(3720), "1h02m");
  EXPECT_EQ(format_duration(360000), "100h00m");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(1.0 / 0.0), "?");
}

TEST(ProgressLine, SaysHowFarAndHowLong) {
  const ProgressState state{"epoch 3/40", 0, 25, 100, 30, "loss 1.234"};
  EXPECT_EQ(plain_progress_line(state), "epoch 3/40   25%  1m30s left  loss 1.234");
  EXPECT_EQ(drawn_progress_line(state, 100, false),
            "epoch 3/40  ======------------------   25%  1m30s left  loss 1.234");
}

TEST(ProgressLine, WhatWasDoneBeforeItBeganDidNotTakeItsTime) {
  EXPECT_EQ(plain_progress_line({"epoch 3/40", 50, 75, 100, 30, ""}), "epoch 3/40   75%  30s left");
  EXPECT_EQ(plain_progress_line({"epoch 3/40", 50, 50, 100, 30, ""}), "epoch 3/40   50%");
}

TEST(ProgressLine, KnowsNothingAtTheStartAndMoreThanAllAtTheEnd) {
  EXPECT_EQ(plain_progress_line({"x", 0, 0, 100, 3, "t"}), "x    0%  t");
  EXPECT_EQ(plain_progress_line({"x", 0, 120, 100, 3, ""}), "x  100%  0s left");
  EXPECT_EQ(plain_progress_line({"x", 0, 5, 0, 3, ""}), "x    0%  0s left");
}

TEST(ProgressLine, NeverWiderThanTheTerminal) {
  const ProgressState state{"evaluating", 0, 1, 3, 9, "loss 1.234  lr 0.00100  75 images/s"};
  for (int columns = 1; columns < 140; ++columns) {
    for (const bool unicode : {false, true}) {
      const std::string line = drawn_progress_line(state, columns, unicode);
      EXPECT_LE(code_points(line), columns);
      EXPECT_EQ(sanitize_utf8(line), line) << "cut within a letter";
    }
  }
}

/// Sends stderr somewhere else for a while.
class StderrTo {
 public:
  explicit StderrTo(int descriptor) : saved_(::dup(STDERR_FILENO)) {
    ::dup2(descriptor, STDERR_FILENO);
  }
  ~StderrTo() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
  }
  StderrTo(const StderrTo&) = delete;
  StderrTo& operator=(const StderrTo&) = delete;

 private:
  int saved_;
};

/// What can be read now without waiting.
std::string drain(int descriptor) {
  ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
  std::string out;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(descriptor, buffer, sizeof buffer)) > 0;) {
    out.append(buffer, static_cast<std::size_t>(n));
  }
  return out;
}

void work_for(double seconds, Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  std::chrono::duration<double> running{};
  while ((running = std::chrono::steady_clock::now() - start).count() < seconds) {
    progress.update(static_cast<std::int64_t>(running.count() * 100), "loss 1.5");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

TEST(Progress, OffATerminalItWritesWholeLinesNowAndThen) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    const StderrTo redirected(ends[1]);
    Progress progress("epoch 1/2", 300, 0, 0.2);
    work_for(2.6, progress);
  }
  const std::string out = drain(ends[0]);
  EXPECT_THAT(out, HasSubstr("epoch 1/2   6"));
  EXPECT_THAT(out, HasSubstr("left  loss 1.5\n"));
  EXPECT_THAT(out, Not(HasSubstr("\r")));
  EXPECT_THAT(out, Not(HasSubstr("\x1b")));
  const auto lines = std::count(out.begin(), out.end(), '\n');
  EXPECT_GE(lines, 2);
  EXPECT_LE(lines, 4);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Progress, OnATerminalItRedrawsOneLineAndClearsIt) {
  int controller = -1;
  int terminal = -1;
  const winsize size{24, 60, 0, 0};
  ASSERT_EQ(::openpty(&controller, &terminal, nullptr, nullptr, &size), 0);
  ::setenv("TERM", "xterm", 1);
  {
    const StderrTo redirected(terminal);
    Progress progress("epoch 1/2", 300);
    work_for(2.5, progress);
  }
  const std::string out = drain(controller);
  EXPECT_THAT(out, HasSubstr("\repoch 1/2  "));
  EXPECT_THAT(out, Not(HasSubstr("\n")));
  EXPECT_THAT(out, ::testing::EndsWith("\r\x1b[K"));
  ::close(controller);
  ::close(terminal);
}

TEST(Progress, ALineThatWasClearedIsDrawnAgainAndItsTimeGoesOn) {
  int controller = -1;
  int terminal = -1;
  const winsize size{24, 60, 0, 0};
  ASSERT_EQ(::openpty(&controller, &terminal, nullptr, nullptr, &size), 0);
  ::setenv("TERM", "xterm", 1);
  {
    const StderrTo redirected(terminal);
    Progress progress("epoch 1/2", 300);
    work_for(2.2, progress);
    progress.clear();
    std::fputs("said between", stderr);
    progress.update(299, "after");
  }
  const std::string out = drain(controller);
  EXPECT_THAT(out, HasSubstr("\r\x1b[Ksaid between\repoch 1/2  "));
  EXPECT_THAT(out, HasSubstr(" 99%  0s left  after"));
  ::close(controller);
  ::close(terminal);
}

TEST(Progress, ShortJobsAreSilent) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    const StderrTo redirected(ends[1]);
    Progress progress("quick", 10, 0, 0.01);
    work_for(0.2, progress);
  }
  EXPECT_EQ(drain(ends[0]), "");
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace casvit::trainer
