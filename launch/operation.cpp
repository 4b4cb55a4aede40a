#include "launch/operation.h"

#include <utility>

#include "launch/error.h"

namespace casvit::launch {

Operation::Operation(std::string description, std::size_t piece_count, MakePiece make_piece)
    : description_(std::move(description)),
      piece_count_(piece_count),
      make_piece_(std::move(make_piece)) {}

void Operation::complete() {
  const std::lock_guard lock(mutex_);
  done_ = true;
  done_changed_.notify_all();
}

void Operation::fail(const std::string& message) {
  const std::lock_guard lock(mutex_);
  failure_ = message;
  done_ = true;
  done_changed_.notify_all();
}

void Operation::wait() {
  std::unique_lock lock(mutex_);
  done_changed_.wait(lock, [this] { return done_; });
  if (!failure_.empty()) throw CommunicationError(failure_);
}

bool Operation::done() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

}  // namespace casvit::launch
