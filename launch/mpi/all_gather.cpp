#include <cstring>

#include "launch/mpi/exchange.h"
#include "launch/mpi/pieces.h"
#include "launch/mpi/segment.h"

namespace casvit::launch {
namespace {

class AllGatherPiece final : public Piece {
 public:
  AllGatherPiece(PieceContext& context, std::size_t sequence, const std::byte* input,
                 std::byte* output, std::size_t stride_bytes, std::size_t bytes)
      : context_(context),
        sequence_(sequence),
        input_(input),
        output_(output),
        stride_bytes_(stride_bytes),
        bytes_(bytes),
        exchange_(context) {}

  bool advance() override {
    if (!posted_) {
      for (const int peer : peers_of(context_)) {
        exchange_.receive(part(peer), bytes_, peer, tag_of(sequence_, 0));
      }
      for (const int peer : peers_of(context_)) {
        exchange_.send(input_, bytes_, peer, tag_of(sequence_, 0));
      }
      if (bytes_ > 0 && part(context_.rank) != input_) {
        std::memcpy(part(context_.rank), input_, bytes_);
      }
      posted_ = true;
    }
    return exchange_.test();
  }

  std::vector<int> awaited() override { return exchange_.awaited(); }

 private:
  std::byte* part(int rank) const {
    return output_ + stride_bytes_ * static_cast<std::size_t>(rank);
  }

  PieceContext& context_;
  const std::size_t sequence_;
  const std::byte* const input_;
  std::byte* const output_;
  const std::size_t stride_bytes_;
  const std::size_t bytes_;
  Exchange exchange_;
  bool posted_ = false;
};

}  // namespace

std::unique_ptr<Piece> make_all_gather_piece(PieceContext& context, std::size_t sequence,
                                             const std::byte* input, std::byte* output,
                                             std::size_t stride_bytes, std::size_t bytes) {
  return std::make_unique<AllGatherPiece>(context, sequence, input, output, stride_bytes, bytes);
}

}  // namespace casvit::launch
