#include <cstring>
#include <vector>

#include "launch/node/peers.h"
#include "launch/node/pieces.h"

namespace casvit::launch {
namespace {

class WindowAllGather final : public Piece {
 public:
  WindowAllGather(const WindowPiece& piece, const std::byte* input, std::byte* output,
                  std::size_t stride_bytes, std::size_t bytes)
      : window_(piece.window),
        turn_(piece.window, piece.sequence, piece.signature),
        pending_(piece.window),
        input_(input),
        output_(output),
        stride_bytes_(stride_bytes),
        bytes_(bytes) {}

  bool advance() override {
    switch (phase_) {
      case Phase::kContribute:
        if (!turn_.may_write()) return false;
        if (bytes_ > 0) std::memcpy(turn_.slot(), input_, bytes_);
        turn_.contribute();
        keep_own();
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
  enum class Phase { kContribute, kGather, kDone };

  std::byte* part(int local_rank) const {
    return output_ + stride_bytes_ * static_cast<std::size_t>(local_rank);
  }

  void keep_own() {
    std::byte* const own = part(window_.local_rank());
    if (bytes_ > 0 && own != input_) std::memcpy(own, input_, bytes_);
  }

  bool copy_out(int peer) {
    if (!turn_.contributed(peer)) return false;
    if (bytes_ > 0) std::memcpy(part(peer), turn_.slot(peer), bytes_);
    return true;
  }

  NodeWindow& window_;
  WindowTurn turn_;
  PendingPeers pending_;
  const std::byte* const input_;
  std::byte* const output_;
  const std::size_t stride_bytes_;
  const std::size_t bytes_;
  Phase phase_ = Phase::kContribute;
};

}  // namespace

std::unique_ptr<Piece> make_window_all_gather(const WindowPiece& piece, const std::byte* input,
                                              std::byte* output, std::size_t stride_bytes,
                                              std::size_t bytes) {
  return std::make_unique<WindowAllGather>(piece, input, output, stride_bytes, bytes);
}

}  // namespace casvit::launch
