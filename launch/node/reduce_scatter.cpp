#include <cstring>
#include <vector>

#include "launch/node/peers.h"
#include "launch/node/pieces.h"
#include "launch/reduction.h"

namespace casvit::launch {
namespace {

/// A slot holds one part for each rank, at equal distances that keep any type aligned.
class WindowReduceScatter final : public Piece {
 public:
  WindowReduceScatter(const WindowPiece& piece, const std::byte* input, std::size_t stride_bytes,
                      std::byte* output, std::size_t count, ElementType type, ReduceOp op)
      : window_(piece.window),
        turn_(piece.window, piece.sequence, piece.signature),
        pending_(piece.window),
        input_(input),
        stride_bytes_(stride_bytes),
        output_(output),
        count_(count),
        type_(type),
        op_(op) {}

  bool advance() override {
    switch (phase_) {
      case Phase::kContribute:
        if (!turn_.may_write()) return false;
        copy_in();
        turn_.contribute();
        phase_ = Phase::kReduce;
        [[fallthrough]];
      case Phase::kReduce:
        if (!pending_.strike([this](int peer) { return turn_.contributed(peer); })) return false;
        reduce_mine();
        turn_.leave();
        phase_ = Phase::kDone;
        [[fallthrough]];
      case Phase::kDone:
        return true;
    }
    return true;
  }

  std::vector<int> awaited() override { return pending_.ranks(); }

 private:
  enum class Phase { kContribute, kReduce, kDone };

  std::size_t offset(int local_rank) const {
    return window_part_bytes(window_) * static_cast<std::size_t>(local_rank);
  }
  const std::byte* part(int local_rank) const {
    return input_ + stride_bytes_ * static_cast<std::size_t>(local_rank);
  }

  void copy_in() {
    const std::size_t bytes = count_ * element_bytes(type_);
    if (bytes == 0) return;
    for (int rank = 0; rank < window_.local_size(); ++rank) {
      if (rank == window_.local_rank()) continue;
      std::memcpy(turn_.slot() + offset(rank), part(rank), bytes);
    }
  }

  void reduce_mine() {
    const int mine = window_.local_rank();
    std::vector<const void*> inputs;
    inputs.reserve(static_cast<std::size_t>(window_.local_size()));
    for (int rank = 0; rank < window_.local_size(); ++rank) {
      inputs.push_back(rank == mine ? part(rank) : turn_.slot(rank) + offset(mine));
    }
    launch::reduce(inputs, output_, count_, type_, op_);
  }

  NodeWindow& window_;
  WindowTurn turn_;
  PendingPeers pending_;
  const std::byte* const input_;
  const std::size_t stride_bytes_;
  std::byte* const output_;
  const std::size_t count_;
  const ElementType type_;
  const ReduceOp op_;
  Phase phase_ = Phase::kContribute;
};

}  // namespace

std::size_t window_part_bytes(const NodeWindow& window) {
  constexpr std::size_t kAlignment = 64;
  return window.slot_bytes() / static_cast<std::size_t>(window.local_size()) / kAlignment *
         kAlignment;
}

std::unique_ptr<Piece> make_window_reduce_scatter(const WindowPiece& piece, const std::byte* input,
                                                  std::size_t stride_bytes, std::byte* output,
                                                  std::size_t count, ElementType type,
                                                  ReduceOp op) {
  return std::make_unique<WindowReduceScatter>(piece, input, stride_bytes, output, count, type, op);
}

}  // namespace casvit::launch
