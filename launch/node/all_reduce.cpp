#include <algorithm>
#include <vector>

#include "launch/mpi/segment.h"
#include "launch/node/copy.h"
#include "launch/node/peers.h"
#include "launch/node/pieces.h"
#include "launch/reduction.h"

namespace casvit::launch {
namespace {

/// Bytes that are summed and then copied into the slot at a time: they are still in the first-level
/// cache.
constexpr std::size_t kChunkBytes = 8192;

/// Note: one copy in, one sum, one copy out.
/// What a rank contributes to the others' segments is copied into its slot; the owner of a segment
/// sums from its own buffer and from where the others' contributions lie, and leaves the result in
/// its slot where its own contribution would be; the others copy it from there. The slot is as
/// large as the piece and laid out like it. With several nodes the owner's sum is the node's, and
/// the owners of all nodes reduce it in turn before it is left in the slot.
class WindowAllReduce final : public Piece {
 public:
  WindowAllReduce(const WindowPiece& piece, std::byte* data, std::size_t count, ElementType type,
                  ReduceOp op)
      : window_(piece.window),
        across_(piece.across),
        sequence_(piece.sequence),
        turn_(piece.window, piece.sequence, piece.signature),
        pending_(piece.window),
        data_(data),
        count_(count),
        width_(element_bytes(type)),
        type_(type),
        op_(op),
        mine_(segment(count, window_.local_size(), window_.local_rank())) {}

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
          reduce_mine();
        } else {
          reduce_across();
        }
        phase_ = Phase::kAcross;
        [[fallthrough]];
      case Phase::kAcross:
        if (nodes_ && !nodes_->advance()) return false;
        publish_mine();
        turn_.finish();
        pending_.reset();
        phase_ = Phase::kGather;
        [[fallthrough]];
      case Phase::kGather:
        if (!pending_.strike([this](int peer) { return copy_out(peer); })) return false;
        turn_.leave();
        phase_ = Phase::kDone;
        [[fallthrough]];
      case Phase::kDone:
        return true;
    }
    return true;
  }

  std::vector<int> awaited() override {
    return phase_ == Phase::kAcross ? nodes_->awaited() : pending_.ranks();
  }

 private:
  enum class Phase { kContribute, kReduce, kAcross, kGather, kDone };

  void copy_in() {
    const std::size_t begin = mine_.begin * width_;
    const std::size_t end = begin + mine_.length * width_;
    copy_cached(turn_.slot(), data_, begin);
    copy_cached(turn_.slot() + end, data_ + end, count_ * width_ - end);
  }

  /// Everybody's contribution to elements of this rank's segment, from `done` on.
  const std::vector<const void*>& inputs(std::size_t done) {
    const std::size_t at = (mine_.begin + done) * width_;
    inputs_.clear();
    for (int rank = 0; rank < window_.local_size(); ++rank) {
      inputs_.push_back(rank == window_.local_rank() ? data_ + at : turn_.slot(rank) + at);
    }
    return inputs_;
  }

  void reduce_mine() {
    const std::size_t chunk = kChunkBytes / width_;
    for (std::size_t done = 0; done < mine_.length; done += chunk) {
      const std::size_t length = std::min(chunk, mine_.length - done);
      const std::size_t at = (mine_.begin + done) * width_;
      launch::reduce(inputs(done), data_ + at, length, type_, op_);
      copy_cached(turn_.slot() + at, data_ + at, length * width_);
    }
  }

  /// The node's sum, and what it takes to sum it over nodes.
  void reduce_across() {
    const ElementType accumulator = accumulator_of(type_);
    std::byte* sums = data_ + mine_.begin * width_;
    if (accumulator != type_) {
      unrounded_ =
          std::make_unique_for_overwrite<std::byte[]>(mine_.length * element_bytes(accumulator));
      sums = unrounded_.get();
    }
    reduce_unrounded(inputs(0), sums, mine_.length, type_, op_);
    nodes_ = make_all_reduce_piece(*across_, sequence_, sums, mine_.length, accumulator, op_);
  }

  /// Of a sum over nodes; reduce_mine has done the like for a single node.
  void publish_mine() {
    if (across_ == nullptr) return;
    std::byte* const own = data_ + mine_.begin * width_;
    round_to(unrounded_ ? unrounded_.get() : own, own, mine_.length, type_);
    copy_cached(turn_.slot() + mine_.begin * width_, own, mine_.length * width_);
  }

  /// True when there was a result of that rank's to copy.
  bool copy_out(int peer) {
    if (!turn_.finished(peer)) return false;
    const Segment theirs = segment(count_, window_.local_size(), peer);
    copy_streaming(data_ + theirs.begin * width_, turn_.slot(peer) + theirs.begin * width_,
                   theirs.length * width_);
    return true;
  }

  NodeWindow& window_;
  PieceContext* const across_;
  const std::size_t sequence_;
  WindowTurn turn_;
  PendingPeers pending_;
  std::byte* const data_;
  const std::size_t count_;
  const std::size_t width_;
  const ElementType type_;
  const ReduceOp op_;
  const Segment mine_;
  std::vector<const void*> inputs_;
  std::unique_ptr<std::byte[]> unrounded_;  ///< the node's sum, where it has another type
  std::unique_ptr<Piece> nodes_;            ///< sums it over nodes
  Phase phase_ = Phase::kContribute;
};

}  // namespace

std::unique_ptr<Piece> make_window_all_reduce(const WindowPiece& piece, std::byte* data,
                                              std::size_t count, ElementType type, ReduceOp op) {
  return std::make_unique<WindowAllReduce>(piece, data, count, type, op);
}

}  // namespace casvit::launch
