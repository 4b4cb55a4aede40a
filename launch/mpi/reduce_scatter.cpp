#include "launch/mpi/contributions.h"
#include "launch/mpi/exchange.h"
#include "launch/mpi/pieces.h"
#include "launch/mpi/segment.h"

namespace casvit::launch {
namespace {

class ReduceScatterPiece final : public Piece {
 public:
  ReduceScatterPiece(PieceContext& context, std::size_t sequence, const std::byte* input,
                     std::size_t stride_bytes, std::byte* output, std::size_t count,
                     ElementType type, ReduceOp op)
      : context_(context),
        sequence_(sequence),
        input_(input),
        stride_bytes_(stride_bytes),
        output_(output),
        bytes_(count * element_bytes(type)),
        op_(op),
        contributions_(context, count, type),
        exchange_(context) {}

  bool advance() override {
    if (!posted_) {
      contributions_.receive(exchange_, tag_of(sequence_, 0));
      for (const int peer : peers_of(context_)) {
        exchange_.send(part(peer), bytes_, peer, tag_of(sequence_, 0));
      }
      posted_ = true;
    }
    if (!exchange_.test()) return false;
    contributions_.reduce(part(context_.rank), output_, op_);
    return true;
  }

  std::vector<int> awaited() override { return exchange_.awaited(); }

 private:
  const std::byte* part(int rank) const {
    return input_ + stride_bytes_ * static_cast<std::size_t>(rank);
  }

  PieceContext& context_;
  const std::size_t sequence_;
  const std::byte* const input_;
  const std::size_t stride_bytes_;
  std::byte* const output_;
  const std::size_t bytes_;
  const ReduceOp op_;
  Contributions contributions_;
  Exchange exchange_;
  bool posted_ = false;
};

}  // namespace

std::unique_ptr<Piece> make_reduce_scatter_piece(PieceContext& context, std::size_t sequence,
                                                 const std::byte* input, std::size_t stride_bytes,
                                                 std::byte* output, std::size_t count,
                                                 ElementType type, ReduceOp op) {
  return std::make_unique<ReduceScatterPiece>(context, sequence, input, stride_bytes, output, count,
                                              type, op);
}

}  // namespace casvit::launch
