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
/// large as the piece and laid out like it.
class WindowAllReduce final : public Piece {
 public:
  WindowAllReduce(const WindowPiece& piece, std::byte* data, std::size_t count, ElementType type,
                  ReduceOp op)
      : window_(piece.window),
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
        reduce_mine();
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

  std::vector<int> awaited() override { return pending_.ranks(); }

 private:
  enum class Phase { kContribute, kReduce, kGather, kDone };

  void copy_in() {
    const std::size_t begin = mine_.begin * width_;
    const std::size_t end = begin + mine_.length * width_;
    copy_cached(turn_.slot(), data_, begin);
    copy_cached(turn_.slot() + end, data_ + end, count_ * width_ - end);
  }

  void reduce_mine() {
    const std::size_t chunk = kChunkBytes / width_;
    std::vector<const void*> inputs(static_cast<std::size_t>(window_.local_size()));
    for (std::size_t done = 0; done < mine_.length; done += chunk) {
      const std::size_t length = std::min(chunk, mine_.length - done);
      const std::size_t at = (mine_.begin + done) * width_;
      for (int rank = 0; rank < window_.local_size(); ++rank) {
        inputs[static_cast<std::size_t>(rank)] =
            rank == window_.local_rank() ? data_ + at : turn_.slot(rank) + at;
      }
      launch::reduce(inputs, data_ + at, length, type_, op_);
      copy_cached(turn_.slot() + at, data_ + at, length * width_);
    }
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
  WindowTurn turn_;
  PendingPeers pending_;
  std::byte* const data_;
  const std::size_t count_;
  const std::size_t width_;
  const ElementType type_;
  const ReduceOp op_;
  const Segment mine_;
  Phase phase_ = Phase::kContribute;
};

}  // namespace

std::unique_ptr<Piece> make_window_all_reduce(const WindowPiece& piece, std::byte* data,
                                              std::size_t count, ElementType type, ReduceOp op) {
  return std::make_unique<WindowAllReduce>(piece, data, count, type, op);
}

}  // namespace casvit::launch
