#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "launch/mpi/exchange.h"
#include "launch/mpi/segment.h"
#include "launch/reduction.h"

namespace casvit::launch {

/// Everyone's contribution to this rank's share, received side by side, reduced in the order of the
/// operation.
class Contributions {
 public:
  Contributions(PieceContext& context, std::size_t count, ElementType type)
      : context_(context), count_(count), type_(type), bytes_(count * element_bytes(type)) {
    // Slots keep any element type aligned.
    slot_bytes_ = (bytes_ + 63) / 64 * 64;
  }
  Contributions(const Contributions&) = delete;
  Contributions& operator=(const Contributions&) = delete;
  ~Contributions() { context_.scratch.give_back(std::move(block_)); }

  void receive(Exchange& exchange, int tag) {
    if (bytes_ == 0) return;
    block_ = context_.scratch.take(slot_bytes_ * static_cast<std::size_t>(context_.size));
    for (const int peer : peers_of(context_)) exchange.receive(slot(peer), bytes_, peer, tag);
  }

  /// @param mine this rank's own contribution, which may be `output` itself.
  void reduce(const std::byte* mine, std::byte* output, ReduceOp op) {
    if (bytes_ == 0) return;
    std::vector<const void*> inputs;
    inputs.reserve(static_cast<std::size_t>(context_.size));
    for (int rank = 0; rank < context_.size; ++rank) {
      inputs.push_back(rank == context_.rank ? mine : slot(rank));
    }
    launch::reduce(inputs, output, count_, type_, op);
    context_.scratch.give_back(std::exchange(block_, {}));
  }

 private:
  std::byte* slot(int rank) const {
    return block_.data.get() + slot_bytes_ * static_cast<std::size_t>(rank);
  }

  PieceContext& context_;
  const std::size_t count_;
  const ElementType type_;
  const std::size_t bytes_;
  std::size_t slot_bytes_ = 0;
  ScratchPool::Block block_;
};

}  // namespace casvit::launch
