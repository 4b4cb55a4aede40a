#include "launch/nccl/flight.h"

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <utility>

#include "launch/error.h"

namespace casvit::launch {
namespace {

constexpr std::chrono::milliseconds kLookInterval{2};
/// Between two looks for dead neighbours, of whom NCCL knows nothing before the time is up.
constexpr std::chrono::seconds kDeadLookInterval{1};
/// How long a failure may wait to be noticed by whoever issues or waits.
constexpr std::chrono::milliseconds kNoticeTime{2000};

}  // namespace

/// Note: Who watches.
/// The host is never blocked in a collective: it issues, and has a stream wait. So a failure must
/// be found by somebody else. This thread looks at NCCL's asynchronous error and asks the events of
/// the oldest operation: its time runs from when its buffers were ready (before, the device
/// computes) or, for a call into NCCL that does not come back, from the call. What it finds ends
/// the communicator: the failure is there to be thrown before NCCL is aborted, for aborting sets
/// free a host that waits for the device, and that must not go on with what it finds in the
/// buffers.

void Flight::wait() {
  control_.check();
  {
    const std::lock_guard lock(control_.mutex_);
    if (!issued_) throw std::logic_error(description_ + " is waited for before its group ended");
  }
  done_.hold_back(control_.compute_stream());
}

bool Flight::done() const {
  control_.check();
  {
    const std::lock_guard lock(control_.mutex_);
    if (!issued_) return false;
  }
  return done_.passed();
}

FlightControl::FlightControl(const NcclOptions& options) : options_(options) {
  thread_ = std::thread([this] { run(); });
}

FlightControl::~FlightControl() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void FlightControl::add(NcclHandle& handle) {
  const std::lock_guard lock(mutex_);
  check_locked();
  handles_.push_back(&handle);
}

std::vector<NcclHandle*> FlightControl::retire() {
  const std::lock_guard lock(mutex_);
  return std::exchange(handles_, {});
}

std::shared_ptr<Flight> FlightControl::begin(const std::string& description, cudaStream_t compute,
                                             cudaStream_t own) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    check_locked();
    number = next_number_++;
  }
  const std::string name = "GPU collective " + std::to_string(number) + ", " + description;
  std::shared_ptr<Flight> flight;
  try {
    CASVIT_CHECK_CUDA(cudaSetDevice(options_.device));  // of whatever thread calls
    flight = std::make_shared<Flight>(*this, number, name);
    flight->ready_.record(compute);
    flight->ready_.hold_back(own);
  } catch (const CommunicationError& error) {
    refused(name, error.what());
  }
  const std::lock_guard lock(mutex_);
  flights_.push_back(flight);
  changed_.notify_all();
  return flight;
}

void FlightControl::issued(Flight& flight, cudaStream_t own) {
  try {
    flight.done_.record(own);
  } catch (const CommunicationError& error) {
    refused(flight.description_, error.what());
  }
  {
    const std::lock_guard lock(mutex_);
    check_locked();
    flight.issued_ = true;
  }
  if (options_.on_issued) options_.on_issued(flight.number_);
}

void FlightControl::refused(const std::string& description, const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_.empty()) fail(description, reason);
    changed_.notify_all();
  }
  check();
  throw CommunicationError(reason);  // check() has thrown
}

void FlightControl::check() {
  const std::lock_guard lock(mutex_);
  check_locked();
}

void FlightControl::check_locked() {
  if (failure_.empty()) return;
  noticed_ = true;
  changed_.notify_all();
  throw CommunicationError(failure_);
}

void FlightControl::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return flights_.empty() || !failure_.empty(); });
  check_locked();
}

void FlightControl::run() {
  cudaSetDevice(options_.device);  // what fails here fails again, with a message, on first use
  std::unique_lock lock(mutex_);
  while (!stop_ && failure_.empty()) {
    if (flights_.empty()) {
      changed_.wait(lock, [this] { return !flights_.empty() || !failure_.empty() || stop_; });
      continue;
    }
    try {
      if (retire_done()) {
        changed_.notify_all();
        continue;
      }
      const std::string trouble = find_trouble();
      if (!trouble.empty()) fail(flights_.front()->description_, trouble);
    } catch (const std::exception& error) {
      fail(flights_.front()->description_, error.what());
    }
    if (failure_.empty()) changed_.wait_for(lock, kLookInterval);
  }
  if (!failure_.empty()) abort(lock);
}

bool FlightControl::retire_done() {
  bool retired = false;
  while (!flights_.empty() && flights_.front()->issued_ && flights_.front()->done_.passed()) {
    flights_.pop_front();
    since_ = {};
    retired = true;
  }
  return retired;
}

/// Why the oldest operation will not end; empty while it may.
std::string FlightControl::find_trouble() {
  for (const NcclHandle* handle : handles_) {
    const ncclResult_t code = handle->trouble();
    if (code != ncclSuccess) return nccl_error_text(code, nullptr);
  }
  if (options_.find_dead && Clock::now() - looked_ >= kDeadLookInterval) {
    looked_ = Clock::now();
    std::string dead = options_.find_dead();
    if (!dead.empty()) return dead;
  }
  const Flight& oldest = *flights_.front();
  if (since_ == Clock::time_point{} && (!oldest.issued_ || oldest.ready_.passed())) {
    since_ = Clock::now();
  }
  if (since_ == Clock::time_point{} || options_.timeout.count() == 0) return {};
  const auto waited = Clock::now() - since_;
  if (waited < options_.timeout) return {};
  char text[96];
  std::snprintf(text, sizeof text, "%s after %.3g s",
                oldest.issued_ ? "not done" : "the call into NCCL has not come back",
                std::chrono::duration<double>(waited).count());
  std::string trouble = text;
  if (options_.accuse) trouble += "; " + options_.accuse(oldest.number_);
  return trouble;
}

/// What a rank that died leaves behind is known here first as an error of NCCL's, which does not
/// say whose end it was; the node does.
void FlightControl::fail(const std::string& description, const std::string& reason) {
  const std::string dead = options_.find_dead ? options_.find_dead() : std::string();
  failure_ = description + ", failed on " + options_.who + ": ";
  failure_ += dead.empty() || dead == reason ? reason : dead + " (" + reason + ")";
  changed_.notify_all();
}

void FlightControl::abort(std::unique_lock<std::mutex>& lock) {
  std::vector<ncclComm_t> communicators;
  for (NcclHandle* handle : std::exchange(handles_, {})) communicators.push_back(handle->release());
  lock.unlock();
  const bool aborted = abort_within(std::move(communicators), options_.abort_limit);
  lock.lock();
  if (!aborted) failure_ += "; ncclCommAbort did not come back";
  if (stop_ || changed_.wait_for(lock, kNoticeTime, [this] { return noticed_ || stop_; })) return;
  const std::string failure = failure_;
  lock.unlock();
  if (options_.on_failure) options_.on_failure(failure);
}

}  // namespace casvit::launch
