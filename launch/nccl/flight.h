#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "launch/communicator.h"
#include "launch/nccl/handles.h"
#include "launch/nccl/nccl_handle.h"
#include "launch/nccl_communicator.h"

namespace casvit::launch {

class FlightControl;

/// One operation, or a group of them, on its way through the device.
class Flight final : public Completion::State {
 public:
  Flight(FlightControl& control, std::uint64_t number, std::string description)
      : control_(control), number_(number), description_(std::move(description)) {}

  void wait() override;
  bool done() const override;

 private:
  friend class FlightControl;

  FlightControl& control_;
  const std::uint64_t number_;
  const std::string description_;  ///< "GPU collective 12, all_reduce (sum) of 1024 float32"
  DeviceEvent ready_;              ///< the buffers are
  DeviceEvent done_;
  bool issued_ = false;  ///< NCCL has it; guarded by the control's mutex
};

/// What is in flight, and the thread that watches it (the note "Who watches" is in flight.cpp).
class FlightControl {
 public:
  /// @param options outlive it
  explicit FlightControl(const NcclOptions& options);
  FlightControl(const FlightControl&) = delete;
  FlightControl& operator=(const FlightControl&) = delete;
  ~FlightControl();

  /// A communicator whose errors count from now on, and which is aborted on failure.
  void add(NcclHandle& handle);
  /// The communicators, which nobody watches any more; empty where they were aborted.
  std::vector<NcclHandle*> retire();

  /// Takes up what the compute stream holds: `own` waits for it. @throws CommunicationError once
  /// the communicator has failed.
  std::shared_ptr<Flight> begin(const std::string& description, cudaStream_t compute,
                                cudaStream_t own);
  /// NCCL has it, on `own`.
  void issued(Flight& flight, cudaStream_t own);
  /// Handing it over failed. Throws.
  [[noreturn]] void refused(const Flight& flight, const std::string& reason) {
    refused(flight.description_, reason);
  }

  /// @throws CommunicationError once the communicator has failed.
  void check();
  /// Blocks until nothing is in flight. @throws CommunicationError
  void drain();
  cudaStream_t compute_stream() const {
    return static_cast<cudaStream_t>(options_.compute_stream());
  }

 private:
  friend class Flight;
  using Clock = std::chrono::steady_clock;

  [[noreturn]] void refused(const std::string& description, const std::string& reason);
  void run();
  bool retire_done();
  std::string find_trouble();
  void fail(const std::string& description, const std::string& reason);
  void abort(std::unique_lock<std::mutex>& lock);
  void check_locked();

  const NcclOptions& options_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::deque<std::shared_ptr<Flight>> flights_;
  std::vector<NcclHandle*> handles_;
  std::uint64_t next_number_ = 1;
  Clock::time_point since_{};   ///< when the oldest became ready; none: it has not
  Clock::time_point looked_{};  ///< for dead neighbours, last
  std::string failure_;
  bool noticed_ = false;  ///< somebody was thrown the failure
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace casvit::launch
