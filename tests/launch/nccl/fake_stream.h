#pragma once

// The inside of the fake device, which the fake NCCL puts its work on.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

/// How often an event was recorded, and up to which of these its stream has come.
struct EventState {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t recorded = 0;
  std::uint64_t passed = 0;
};
struct CUevent_st {
  std::shared_ptr<EventState> state = std::make_shared<EventState>();
};

struct CUstream_st {
  CUstream_st();
  ~CUstream_st();
  void put(std::function<void()> work);
  void wait_until_empty();

 private:
  void run();
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> queue;
  bool busy = false;
  bool stop = false;
  std::thread thread;
};

namespace casvit::launch::fake {

/// From now on whatever asks the device gets cudaErrorLaunchFailure.
void break_device();

}  // namespace casvit::launch::fake
