#include "launch/operation.h"

#include <utility>

#include "launch/error.h"

namespace casvit::launch {
namespace {

/// By how much the watchdog lets the operation's own deadline go first, which names the culprit.
constexpr Watchdog::Duration kWatchdogGrace{2000};

}  // namespace

Operation::Operation(std::string description, std::size_t piece_count, MakePiece make_piece)
    : description_(std::move(description)),
      piece_count_(piece_count),
      make_piece_(std::move(make_piece)) {}

void Operation::enter(std::uint64_t number, Watchdog& watchdog) {
  number_ = number;
  description_ = "collective " + std::to_string(number) + ", " + description_;
  watchdog_ = &watchdog;
}

void Operation::complete() {
  const std::lock_guard lock(mutex_);
  completed_at_ = std::chrono::steady_clock::now();
  done_ = true;
  done_changed_.notify_all();
}

void Operation::feed() {
  const std::lock_guard lock(mutex_);
  ++feeds_;
  done_changed_.notify_all();
}

void Operation::fail(const std::string& message) {
  const std::lock_guard lock(mutex_);
  failure_ = message;
  done_ = true;
  done_changed_.notify_all();
}

void Operation::wait() {
  if (!done() && watchdog_ != nullptr) {
    // Operations have a deadline of their own, kept by the thread that moves them.
    auto watch = watchdog_->watch(description_, kWatchdogGrace);
    std::unique_lock lock(mutex_);
    while (!done_) {
      const std::uint64_t fed = feeds_;
      done_changed_.wait(lock, [&] { return done_ || feeds_ != fed; });
      if (!done_) watch.feed();
    }
  }
  std::unique_lock lock(mutex_);
  done_changed_.wait(lock, [this] { return done_; });
  if (!failure_.empty()) throw CommunicationError(failure_);
}

bool Operation::done() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

std::optional<std::chrono::steady_clock::time_point> Operation::completed_at() const {
  const std::lock_guard lock(mutex_);
  return done_ && failure_.empty() ? std::optional(completed_at_) : std::nullopt;
}

}  // namespace casvit::launch
