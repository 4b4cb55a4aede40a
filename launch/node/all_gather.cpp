#include <cstring>
#include <memory>
#include <vector>

#include "launch/node/copy.h"
#include "launch/node/peers.h"
#include "launch/node/pieces.h"

namespace casvit::launch {
namespace {

/// With several nodes the ranks of a place gather each other's first, and then hand their node all
/// of it.
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
        bytes_(bytes),
        nodes_(piece.nodes()) {
    if (piece.across == nullptr) return;
    const auto local_size = static_cast<std::size_t>(window_.local_size());
    gather_ =
        make_all_gather_piece(*piece.across, piece.sequence, input, part(0, window_.local_rank()),
                              stride_bytes * local_size, bytes);
  }

  bool advance() override {
    switch (phase_) {
      case Phase::kAcross:
        if (gather_ && !gather_->advance()) return false;
        phase_ = Phase::kContribute;
        [[fallthrough]];
      case Phase::kContribute:
        if (!turn_.may_write()) return false;
        if (!gather_) keep_own();
        copy_in();
        turn_.contribute();
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
    return phase_ == Phase::kAcross && gather_ ? gather_->awaited() : pending_.ranks();
  }

 private:
  enum class Phase { kAcross, kContribute, kGather, kDone };

  std::byte* part(int node, int local_rank) const {
    return output_ +
           stride_bytes_ * static_cast<std::size_t>(node * window_.local_size() + local_rank);
  }

  void keep_own() {
    std::byte* const own = part(0, window_.local_rank());
    if (bytes_ > 0 && own != input_) std::memcpy(own, input_, bytes_);
  }

  void copy_in() {
    for (int node = 0; bytes_ > 0 && node < nodes_; ++node) {
      std::memcpy(turn_.slot() + bytes_ * static_cast<std::size_t>(node),
                  part(node, window_.local_rank()), bytes_);
    }
  }

  bool copy_out(int peer) {
    if (!turn_.contributed(peer)) return false;
    for (int node = 0; bytes_ > 0 && node < nodes_; ++node) {
      copy_streaming(part(node, peer), turn_.slot(peer) + bytes_ * static_cast<std::size_t>(node),
                     bytes_);
    }
    return true;
  }

  NodeWindow& window_;
  WindowTurn turn_;
  PendingPeers pending_;
  const std::byte* const input_;
  std::byte* const output_;
  const std::size_t stride_bytes_;
  const std::size_t bytes_;
  const int nodes_;
  std::unique_ptr<Piece> gather_;  ///< of this place's, over nodes
  Phase phase_ = Phase::kAcross;
};

}  // namespace

std::unique_ptr<Piece> make_window_all_gather(const WindowPiece& piece, const std::byte* input,
                                              std::byte* output, std::size_t stride_bytes,
                                              std::size_t bytes) {
  return std::make_unique<WindowAllGather>(piece, input, output, stride_bytes, bytes);
}

}  // namespace casvit::launch
