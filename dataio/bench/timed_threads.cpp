#include "dataio/bench/timed_threads.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace casvit::dataio {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

BenchFigures run_timed(int threads, double seconds, const std::function<BenchWork()>& make_work) {
  std::atomic<std::uint64_t> place{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::exception_ptr error;
  BenchFigures total;

  // A thread counts up to the end of its own last place, so that none is cut off half-way; the time
  // is the mean over threads.
  double rate_seconds = 0;
  const auto work_until_over = [&] {
    const BenchWork work = make_work();
    BenchFigures ignored;
    const auto start = Clock::now();
    while (!failed && seconds_since(start) < seconds / 10) work(place++, ignored);
    BenchFigures mine;
    const auto counted = Clock::now();
    do {
      work(place++, mine);
    } while (!failed && seconds_since(counted) < seconds);
    mine.seconds = seconds_since(counted);
    const std::lock_guard lock(mutex);
    total.images += mine.images;
    total.bytes_read += mine.bytes_read;
    total.bytes_written += mine.bytes_written;
    rate_seconds += mine.seconds;
  };
  const auto run = [&] {
    try {
      work_until_over();
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      failed = true;
    }
  };
  std::vector<std::thread> started;
  try {
    for (int t = 0; t < threads; ++t) started.emplace_back(run);
  } catch (...) {
    failed = true;
    for (std::thread& thread : started) thread.join();
    throw;
  }
  for (std::thread& thread : started) thread.join();
  if (error) std::rethrow_exception(error);
  total.seconds = rate_seconds / threads;
  return total;
}

}  // namespace casvit::dataio
