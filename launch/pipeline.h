#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "launch/operation.h"

namespace casvit::launch {

/// Moves operations forward, in order of issue: a window of pieces is in flight at a time, so that
/// one piece's sums overlap another's messages, within an operation and across operations. Pieces
/// start, and operations complete, in order. Used by one thread only.
class Pipeline {
 public:
  /// Large pieces in flight: two keep the wire busy, the rest absorbs ranks that answer late.
  static constexpr std::size_t kWindow = 4;

  /// @param who "rank 1 of 4 on host", for error messages.
  /// @param window pieces in flight
  explicit Pipeline(std::string who, std::size_t window = kWindow);

  void add(std::shared_ptr<Operation> operation);

  /// Does what can be done without waiting; true when a piece was started or finished.
  /// When a piece throws, this operation and all others, present and future, fail with its message.
  bool advance();

  bool idle() const { return operations_.empty(); }

  using Clock = std::chrono::steady_clock;
  /// Since when nothing was started or finished. Not while it is idle.
  Clock::time_point moved() const { return moved_; }
  /// The operation that others wait behind. Not while it is idle.
  const Operation& front() const { return *operations_.front(); }
  /// The ranks whose messages the oldest piece in flight misses.
  std::vector<int> awaited() const;
  /// What they wait for lives.
  void feed();
  /// Fails as if the operation at the front had thrown.
  void fail_front(const std::string& reason);

 private:
  struct Active {
    std::unique_ptr<Piece> piece;
    std::shared_ptr<Operation> operation;
    bool done = false;
  };

  bool start_pieces();
  bool advance_pieces();
  bool retire();
  void fail(const Operation& culprit, const std::string& reason);

  const std::string who_;
  const std::size_t window_;
  std::deque<std::shared_ptr<Operation>> operations_;  ///< issued and not yet complete
  std::deque<Active> active_;                          ///< pieces in flight, in order
  std::size_t starting_ = 0;       ///< the operation, counted in operations_, to start pieces of
  std::size_t next_piece_ = 0;     ///< of that operation
  std::size_t next_sequence_ = 0;  ///< over all operations
  Clock::time_point moved_{};
  std::string failure_;  ///< empty while all is well
};

}  // namespace casvit::launch
