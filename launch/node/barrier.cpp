#include <vector>

#include "launch/node/peers.h"
#include "launch/node/pieces.h"

namespace casvit::launch {
namespace {

class WindowBarrier final : public Piece {
 public:
  explicit WindowBarrier(const WindowPiece& piece)
      : turn_(piece.window, piece.sequence, piece.signature), pending_(piece.window) {}

  bool advance() override {
    if (!came_) {
      if (!turn_.may_write()) return false;
      turn_.contribute();
      came_ = true;
    }
    if (!pending_.strike([this](int peer) { return turn_.contributed(peer); })) return false;
    turn_.leave();
    return true;
  }

  std::vector<int> awaited() override { return pending_.ranks(); }

 private:
  WindowTurn turn_;
  PendingPeers pending_;
  bool came_ = false;
};

}  // namespace

std::unique_ptr<Piece> make_window_barrier(const WindowPiece& piece) {
  return std::make_unique<WindowBarrier>(piece);
}

}  // namespace casvit::launch
