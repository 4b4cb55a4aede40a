#include "launch/mpi/exchange.h"
#include "launch/mpi/pieces.h"
#include "launch/mpi/segment.h"

namespace casvit::launch {
namespace {

class BroadcastPiece final : public Piece {
 public:
  BroadcastPiece(PieceContext& context, std::size_t sequence, std::byte* data, std::size_t bytes,
                 int root)
      : context_(context),
        sequence_(sequence),
        data_(data),
        bytes_(bytes),
        root_(root),
        exchange_(context) {}

  bool advance() override {
    switch (phase_) {
      case Phase::kPost:
        post_deal();
        phase_ = Phase::kDeal;
        [[fallthrough]];
      case Phase::kDeal:
        if (!exchange_.test()) return false;
        post_gather();
        phase_ = Phase::kGather;
        [[fallthrough]];
      case Phase::kGather:
        return exchange_.test();
    }
    return true;
  }

  std::vector<int> awaited() override { return exchange_.awaited(); }

 private:
  enum class Phase { kPost, kDeal, kGather };

  Segment part(int rank) const { return segment(bytes_, context_.size, rank); }

  void post_deal() {
    if (context_.rank != root_) {
      const Segment mine = part(context_.rank);
      exchange_.receive(data_ + mine.begin, mine.length, root_, tag_of(sequence_, 0));
      return;
    }
    for (const int peer : peers_of(context_)) {
      const Segment theirs = part(peer);
      exchange_.send(data_ + theirs.begin, theirs.length, peer, tag_of(sequence_, 0));
    }
  }

  void post_gather() {
    const Segment mine = part(context_.rank);
    for (const int peer : peers_of(context_)) {
      const Segment theirs = part(peer);
      if (context_.rank != root_) {
        exchange_.receive(data_ + theirs.begin, theirs.length, peer, tag_of(sequence_, 1));
      }
      if (peer != root_) {
        exchange_.send(data_ + mine.begin, mine.length, peer, tag_of(sequence_, 1));
      }
    }
  }

  PieceContext& context_;
  const std::size_t sequence_;
  std::byte* const data_;
  const std::size_t bytes_;
  const int root_;
  Exchange exchange_;
  Phase phase_ = Phase::kPost;
};

}  // namespace

std::unique_ptr<Piece> make_broadcast_piece(PieceContext& context, std::size_t sequence,
                                            std::byte* data, std::size_t bytes, int root) {
  return std::make_unique<BroadcastPiece>(context, sequence, data, bytes, root);
}

}  // namespace casvit::launch
