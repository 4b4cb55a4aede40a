#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "launch/element.h"

namespace casvit::launch {

/// Completion of one asynchronous collective. Move-only; waiting twice is allowed.
class Completion {
 public:
  class State {
   public:
    virtual ~State() = default;
    /// Blocks the calling thread (host) or makes the current stream wait (GPU).
    /// @throws CommunicationError
    virtual void wait() = 0;
    virtual bool done() const = 0;
    /// When it was complete, where that is known: not yet, and not on a GPU.
    virtual std::optional<std::chrono::steady_clock::time_point> completed_at() const {
      return std::nullopt;
    }
  };

  Completion() = default;
  explicit Completion(std::shared_ptr<State> state) : state_(std::move(state)) {}
  Completion(Completion&&) noexcept = default;
  Completion& operator=(Completion&&) noexcept = default;

  void wait() {
    if (state_) state_->wait();
  }
  bool done() const { return !state_ || state_->done(); }
  std::optional<std::chrono::steady_clock::time_point> completed_at() const {
    return state_ ? state_->completed_at() : std::nullopt;
  }

 private:
  std::shared_ptr<State> state_;
};

/// Collectives over all ranks. Every rank calls the same operations in the same order with the same
/// sizes. Calls may come from any one thread at a time; operations complete in the order of issue.
/// Buffers must stay alive and untouched until completion; after a CommunicationError, to the end
/// of the process. A null buffer for something, a root that is no rank or a size that does not fit
/// std::size_t is a std::invalid_argument.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Whether buffers are memory of a GPU, and `wait` has its stream wait.
  virtual bool on_device() const { return false; }

  /// Says what the next operation is for, in messages about it: "the bucket of head.weight".
  void announce(std::string purpose) { purpose_ = std::move(purpose); }

  /// In place: every rank ends with the reduction over ranks. Sums are taken element by element in
  /// rank order (host; over several nodes in two levels, each node's in rank order and then those
  /// of the nodes in order), tree sums in that of ReduceOp::kTreeSum (everywhere, and only where
  /// the ranks are a power of two, or std::invalid_argument), so that the result does not depend on
  /// how buffers were cut; 16-bit floats are accumulated in float32 and rounded once; integers
  /// wrap; the maximum of anything and NaN is NaN.
  virtual Completion all_reduce(void* buffer, std::size_t count, ElementType type, ReduceOp op) = 0;
  /// `output[count]` on rank r is the reduction of everyone's `input[r * count ...]`. In place when
  /// `output` is `input + r * count`; otherwise the two must not overlap.
  virtual Completion reduce_scatter(const void* input, void* output, std::size_t count,
                                    ElementType type, ReduceOp op) = 0;
  /// `output[size * count]`: rank r's `input[count]` at `r * count`. In place when `input` is
  /// `output + rank * count`; otherwise the two must not overlap.
  virtual Completion all_gather(const void* input, void* output, std::size_t count,
                                ElementType type) = 0;
  /// Every rank ends with the root's `buffer[count]`.
  virtual Completion broadcast(void* buffer, std::size_t count, ElementType type, int root) = 0;
  /// Returns when every rank has called it, and all that was issued before is complete.
  virtual void barrier() = 0;

  /// On a GPU, where `wait` has the stream wait: blocks the host until all that was issued is
  /// complete. Where `wait` blocks the host there is nothing left to do. @throws CommunicationError
  virtual void synchronize() {}

  /// What is issued from here to `end_group` may be taken together, which saves small operations
  /// their latency; nothing of it may be waited for before. Groups do not nest. Where it would save
  /// nothing it means nothing.
  virtual void start_group() {}
  virtual void end_group() {}

 protected:
  /// Of the operation that is being issued; empty where nobody announced one.
  std::string take_purpose() { return std::exchange(purpose_, {}); }

 private:
  std::string purpose_;
};

/// Gathers byte strings of different lengths to every rank, in rank order (control messages and
/// evaluation results, not tensors). @param purpose as for `announce`
std::vector<std::string> all_gather_strings(Communicator& communicator, const std::string& mine,
                                            const std::string& purpose = "");

}  // namespace casvit::launch
