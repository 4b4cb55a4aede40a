#include "launch/pipeline.h"

#include <exception>
#include <utility>

namespace casvit::launch {

Pipeline::Pipeline(std::string who, std::size_t window) : who_(std::move(who)), window_(window) {}

void Pipeline::add(std::shared_ptr<Operation> operation) {
  if (!failure_.empty()) {
    operation->fail(failure_);
    return;
  }
  if (operations_.empty()) moved_ = Clock::now();
  operations_.push_back(std::move(operation));
}

bool Pipeline::advance() {
  bool moved = start_pieces();
  moved = advance_pieces() || moved;
  moved = retire() || moved;
  if (moved) moved_ = Clock::now();
  return moved;
}

std::vector<int> Pipeline::awaited() const {
  for (const Active& active : active_) {
    if (!active.done) return active.piece->awaited();
  }
  return {};
}

void Pipeline::feed() {
  for (const auto& operation : operations_) operation->feed();
}

void Pipeline::fail_front(const std::string& reason) {
  const std::shared_ptr<Operation> front = operations_.front();  // fail() empties the queue
  fail(*front, reason);
}

bool Pipeline::start_pieces() {
  bool started = false;
  while (active_.size() < window_ && starting_ < operations_.size()) {
    const auto& operation = operations_[starting_];
    if (next_piece_ == operation->piece_count()) {
      ++starting_;
      next_piece_ = 0;
      continue;
    }
    try {
      active_.push_back({operation->make_piece(next_piece_, next_sequence_), operation});
    } catch (const std::exception& error) {
      fail(*operation, error.what());
      return true;
    }
    ++next_piece_;
    ++next_sequence_;
    started = true;
  }
  return started;
}

bool Pipeline::advance_pieces() {
  bool finished = false;
  for (Active& active : active_) {
    if (active.done) continue;
    try {
      active.done = active.piece->advance();
    } catch (const std::exception& error) {
      fail(*active.operation, error.what());
      return true;
    }
    finished = finished || active.done;
  }
  return finished;
}

bool Pipeline::retire() {
  if (!failure_.empty()) return false;
  while (!active_.empty() && active_.front().done) active_.pop_front();
  // An operation is complete when all its pieces were started and none is in flight any more. With
  // in-order retirement the operations before that of the first piece in flight are.
  bool retired = false;
  while (starting_ > 0 && (active_.empty() || active_.front().operation != operations_.front())) {
    operations_.front()->complete();
    operations_.pop_front();
    --starting_;
    retired = true;
  }
  return retired;
}

void Pipeline::fail(const Operation& culprit, const std::string& reason) {
  failure_ = culprit.description() + ", failed on " + who_ + ": " + reason;
  for (const auto& operation : operations_) operation->fail(failure_);
  operations_.clear();
  starting_ = 0;
  // The pieces stay in active_ to the end of the process, for MPI may still write into their
  // scratch memory, but are never advanced again.
  for (Active& active : active_) active.done = true;
}

}  // namespace casvit::launch
