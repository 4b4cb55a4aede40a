#include "dataio/pack/parallel_for.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace casvit::dataio {
namespace {

TEST(ParallelFor, CallsEveryIndexOnce) {
  for (const int workers : {1, 3, 16}) {
    std::vector<std::atomic<int>> calls(100);
    std::uint64_t last = 0;
    parallel_for(
        calls.size(), workers, [&calls](std::uint64_t i) { ++calls[i]; },
        [&last](std::uint64_t done) { last = done; });
    for (const auto& count : calls) EXPECT_EQ(count, 1);
    EXPECT_EQ(last, calls.size());
  }
}

TEST(ParallelFor, HasNothingToDoForNothing) {
  int ticks = 0;
  parallel_for(
      0, 4, [](std::uint64_t) { FAIL(); }, [&ticks](std::uint64_t) { ++ticks; });
  EXPECT_EQ(ticks, 1);
}

TEST(ParallelFor, RethrowsTheSmallestFailureWhateverTheWorkers) {
  for (const int workers : {1, 2, 8}) {
    for (int repetition = 0; repetition < 20; ++repetition) {
      std::string message;
      try {
        parallel_for(
            64, workers,
            [](std::uint64_t i) {
              if (i == 7) std::this_thread::sleep_for(std::chrono::milliseconds(1));
              if (i == 7 || i == 9 || i == 30) throw std::runtime_error(std::to_string(i));
            },
            [](std::uint64_t) {});
      } catch (const std::runtime_error& error) {
        message = error.what();
      }
      EXPECT_EQ(message, "7");
    }
  }
}

TEST(ParallelFor, EndsWhenTheTickThrows) {
  std::atomic<std::uint64_t> calls{0};
  EXPECT_THROW(parallel_for(
                   100000, 2,
                   [&calls](std::uint64_t) {
                     ++calls;
                     std::this_thread::sleep_for(std::chrono::milliseconds(1));
                   },
                   [](std::uint64_t) { throw std::runtime_error("interrupted"); }),
               std::runtime_error);
  EXPECT_LT(calls, 100000U);
}

}  // namespace
}  // namespace casvit::dataio
