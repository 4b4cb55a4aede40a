#include "dataio/pack/parallel_for.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace casvit::dataio {
namespace {

constexpr std::chrono::milliseconds kTick{100};

/// What the threads share. Indices are claimed in ascending order, so when `work(i)` fails every
/// smaller index has been claimed already and will be finished: the smallest failure is certain.
class SharedLoop {
 public:
  SharedLoop(std::uint64_t count, int workers, const std::function<void(std::uint64_t)>& work)
      : limit_(count), work_(work) {
    const auto threads = std::min<std::uint64_t>(static_cast<std::uint64_t>(workers), count);
    try {
      const std::lock_guard lock(mutex_);  // threads begin when all of them are counted
      for (std::uint64_t t = 0; t < threads; ++t) {
        threads_.emplace_back([this] { run(); });
        ++running_;
      }
    } catch (...) {
      stop();
      join();
      throw;
    }
  }
  ~SharedLoop() {
    stop();
    join();
  }
  SharedLoop(const SharedLoop&) = delete;
  SharedLoop& operator=(const SharedLoop&) = delete;

  /// Waits a tick. @returns whether all is done; `done` becomes the number of finished indices.
  bool wait(std::uint64_t& done) {
    std::unique_lock lock(mutex_);
    finished_.wait_for(lock, kTick, [this] { return running_ == 0; });
    done = done_;
    return running_ == 0;
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (next_ < limit_) {
      const std::uint64_t index = next_++;
      lock.unlock();
      std::exception_ptr error;
      try {
        work_(index);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      ++done_;
      if (error && (!error_ || index < error_index_)) {
        error_ = error;
        error_index_ = index;
        limit_ = 0;
      }
    }
    if (--running_ == 0) finished_.notify_all();
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    limit_ = 0;
  }
  void join() {
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

  std::mutex mutex_;
  std::condition_variable finished_;
  std::uint64_t next_ = 0;
  std::uint64_t limit_;
  std::uint64_t done_ = 0;
  std::uint64_t running_ = 0;
  std::exception_ptr error_;
  std::uint64_t error_index_ = 0;
  const std::function<void(std::uint64_t)>& work_;
  std::vector<std::thread> threads_;
};

}  // namespace

void parallel_for(std::uint64_t count, int workers, const std::function<void(std::uint64_t)>& work,
                  const std::function<void(std::uint64_t)>& tick) {
  SharedLoop loop(count, workers, work);
  std::uint64_t done = 0;
  while (!loop.wait(done)) tick(done);
  loop.rethrow();
  tick(done);
}

}  // namespace casvit::dataio
