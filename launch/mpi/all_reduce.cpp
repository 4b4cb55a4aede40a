#include "launch/mpi/contributions.h"
#include "launch/mpi/exchange.h"
#include "launch/mpi/pieces.h"
#include "launch/mpi/segment.h"

namespace casvit::launch {
namespace {

class AllReducePiece final : public Piece {
 public:
  AllReducePiece(PieceContext& context, std::size_t sequence, std::byte* data, std::size_t count,
                 ElementType type, ReduceOp op)
      : context_(context),
        sequence_(sequence),
        data_(data),
        count_(count),
        width_(element_bytes(type)),
        op_(op),
        mine_(segment(count, context.size, context.rank)),
        contributions_(context, mine_.length, type),
        exchange_(context) {}

  bool advance() override {
    switch (phase_) {
      case Phase::kPost:
        post_contributions();
        phase_ = Phase::kReduce;
        [[fallthrough]];
      case Phase::kReduce:
        if (!exchange_.test()) return false;
        contributions_.reduce(at(mine_), at(mine_), op_);
        post_results();
        phase_ = Phase::kGather;
        [[fallthrough]];
      case Phase::kGather:
        return exchange_.test();
    }
    return true;
  }

  std::vector<int> awaited() override { return exchange_.awaited(); }

 private:
  enum class Phase { kPost, kReduce, kGather };

  std::byte* at(const Segment& part) const { return data_ + part.begin * width_; }

  void post_contributions() {
    contributions_.receive(exchange_, tag_of(sequence_, 0));
    for (const int peer : peers_of(context_)) {
      const Segment theirs = segment(count_, context_.size, peer);
      exchange_.send(at(theirs), theirs.length * width_, peer, tag_of(sequence_, 0));
    }
  }

  void post_results() {
    for (const int peer : peers_of(context_)) {
      const Segment theirs = segment(count_, context_.size, peer);
      exchange_.receive(at(theirs), theirs.length * width_, peer, tag_of(sequence_, 1));
    }
    for (const int peer : peers_of(context_)) {
      exchange_.send(at(mine_), mine_.length * width_, peer, tag_of(sequence_, 1));
    }
  }

  PieceContext& context_;
  const std::size_t sequence_;
  std::byte* const data_;
  const std::size_t count_;
  const std::size_t width_;
  const ReduceOp op_;
  const Segment mine_;
  Contributions contributions_;
  Exchange exchange_;
  Phase phase_ = Phase::kPost;
};

}  // namespace

std::unique_ptr<Piece> make_all_reduce_piece(PieceContext& context, std::size_t sequence,
                                             std::byte* data, std::size_t count, ElementType type,
                                             ReduceOp op) {
  return std::make_unique<AllReducePiece>(context, sequence, data, count, type, op);
}

}  // namespace casvit::launch
