// What signals mean to a program that looks at them when it suits it.

#include "launch/interruption.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace casvit::launch {
namespace {

TEST(Interruption, TheFirstSignalIsAWish) {
  const Interruption interruption;
  EXPECT_FALSE(Interruption::requested());
  std::raise(SIGUSR1);
  EXPECT_EQ(Interruption::signal(), SIGUSR1);
}

TEST(Interruption, SignalsRightAfterItAreTheSameWish) {
  const Interruption interruption;
  std::raise(SIGTERM);
  std::raise(SIGUSR1);
  std::raise(SIGTERM);
  EXPECT_EQ(Interruption::signal(), SIGTERM);
}

TEST(InterruptionDeathTest, ALaterOneEndsTheProcess) {
  const auto twice = [] {
    const Interruption interruption;
    std::raise(SIGTERM);
    std::this_thread::sleep_for(std::chrono::milliseconds(2100));
    std::raise(SIGINT);
    std::exit(0);
  };
  EXPECT_EXIT(twice(), testing::ExitedWithCode(128 + SIGINT), "");
}

TEST(Interruption, TheNextProgramPartStartsAnew) {
  {
    const Interruption interruption;
    std::raise(SIGTERM);
  }
  const Interruption interruption;
  EXPECT_FALSE(Interruption::requested());
}

}  // namespace
}  // namespace casvit::launch
