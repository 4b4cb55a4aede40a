#include <cstring>
#include <memory>
#include <vector>

#include "launch/node/peers.h"
#include "launch/node/pieces.h"
#include "launch/reduction.h"

namespace casvit::launch {
namespace {

/// A slot holds one part for each rank of all nodes, those of a place on the nodes side by side, at
/// equal distances that keep any type aligned. With several nodes a rank sums its node's parts for
/// its place on each of them, and the ranks of that place deal these sums out in turn.
class WindowReduceScatter final : public Piece {
 public:
  WindowReduceScatter(const WindowPiece& piece, const std::byte* input, std::size_t stride_bytes,
                      std::byte* output, std::size_t count, ElementType type, ReduceOp op)
      : window_(piece.window),
        across_(piece.across),
        nodes_(piece.nodes()),
        sequence_(piece.sequence),
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
        if (across_ == nullptr) {
          reduce(0, output_);
        } else {
          reduce_across();
        }
        turn_.leave();
        phase_ = Phase::kAcross;
        [[fallthrough]];
      case Phase::kAcross:
        if (scatter_ && !scatter_->advance()) return false;
        if (result_) round_to(result_.get(), output_, count_, type_);
        phase_ = Phase::kDone;
        [[fallthrough]];
      case Phase::kDone:
        return true;
    }
    return true;
  }

  std::vector<int> awaited() override {
    return phase_ == Phase::kAcross ? scatter_->awaited() : pending_.ranks();
  }

 private:
  enum class Phase { kContribute, kReduce, kAcross, kDone };

  std::size_t offset(int node, int local_rank) const {
    return window_part_bytes(window_, nodes_) *
           static_cast<std::size_t>(local_rank * nodes_ + node);
  }
  const std::byte* part(int node, int local_rank) const {
    return input_ +
           stride_bytes_ * static_cast<std::size_t>(node * window_.local_size() + local_rank);
  }

  void copy_in() {
    const std::size_t bytes = count_ * element_bytes(type_);
    if (bytes == 0) return;
    for (int rank = 0; rank < window_.local_size(); ++rank) {
      if (rank == window_.local_rank()) continue;
      for (int node = 0; node < nodes_; ++node) {
        std::memcpy(turn_.slot() + offset(node, rank), part(node, rank), bytes);
      }
    }
  }

  /// This node's parts for the rank of this place on that one; not rounded where there are several.
  void reduce(int node, std::byte* output) {
    const int mine = window_.local_rank();
    std::vector<const void*> inputs;
    inputs.reserve(static_cast<std::size_t>(window_.local_size()));
    for (int rank = 0; rank < window_.local_size(); ++rank) {
      inputs.push_back(rank == mine ? part(node, rank) : turn_.slot(rank) + offset(node, mine));
    }
    if (across_ == nullptr) {
      launch::reduce(inputs, output, count_, type_, op_);
    } else {
      reduce_unrounded(inputs, output, count_, type_, op_);
    }
  }

  void reduce_across() {
    const ElementType accumulator = accumulator_of(type_);
    const std::size_t bytes = (count_ * element_bytes(accumulator) + 63) / 64 * 64;
    sums_ = std::make_unique_for_overwrite<std::byte[]>(bytes * static_cast<std::size_t>(nodes_));
    for (int node = 0; node < nodes_; ++node) {
      reduce(node, sums_.get() + bytes * static_cast<std::size_t>(node));
    }
    std::byte* output = output_;
    if (accumulator != type_) {
      result_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
      output = result_.get();
    }
    scatter_ = make_reduce_scatter_piece(*across_, sequence_, sums_.get(), bytes, output, count_,
                                         accumulator, op_);
  }

  NodeWindow& window_;
  PieceContext* const across_;
  const int nodes_;
  const std::size_t sequence_;
  WindowTurn turn_;
  PendingPeers pending_;
  const std::byte* const input_;
  const std::size_t stride_bytes_;
  std::byte* const output_;
  const std::size_t count_;
  const ElementType type_;
  const ReduceOp op_;
  std::unique_ptr<std::byte[]> sums_;    ///< of this node, for this place on every node
  std::unique_ptr<std::byte[]> result_;  ///< where it has another type than the output
  std::unique_ptr<Piece> scatter_;       ///< of the sums, over nodes
  Phase phase_ = Phase::kContribute;
};

}  // namespace

std::size_t window_part_bytes(const NodeWindow& window, int nodes) {
  constexpr std::size_t kAlignment = 64;
  const auto ranks = static_cast<std::size_t>(window.local_size() * nodes);
  return window.slot_bytes() / ranks / kAlignment * kAlignment;
}

std::unique_ptr<Piece> make_window_reduce_scatter(const WindowPiece& piece, const std::byte* input,
                                                  std::size_t stride_bytes, std::byte* output,
                                                  std::size_t count, ElementType type,
                                                  ReduceOp op) {
  return std::make_unique<WindowReduceScatter>(piece, input, stride_bytes, output, count, type, op);
}

}  // namespace casvit::launch
