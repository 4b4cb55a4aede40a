#include <cstring>
#include <vector>

#include "launch/node/peers.h"
#include "launch/node/pieces.h"

namespace casvit::launch {
namespace {

/// The root is done when its data lies in its slot; the others contribute nothing, but say that
/// they came, which the root's next use of the slot waits for.
class WindowBroadcast final : public Piece {
 public:
  WindowBroadcast(const WindowPiece& piece, std::byte* data, std::size_t bytes, int root)
      : window_(piece.window),
        turn_(piece.window, piece.sequence, piece.signature),
        data_(data),
        bytes_(bytes),
        root_(root) {}

  bool advance() override {
    if (done_) return true;
    if (window_.local_rank() == root_) {
      if (!turn_.may_write()) return false;
      if (bytes_ > 0) std::memcpy(turn_.slot(), data_, bytes_);
      turn_.contribute();
    } else {
      if (!turn_.contributed(root_)) return false;
      if (bytes_ > 0) std::memcpy(data_, turn_.slot(root_), bytes_);
    }
    turn_.leave();
    done_ = true;
    return true;
  }

  std::vector<int> awaited() override {
    if (window_.local_rank() == root_) return {};
    return {window_.ranks()[static_cast<std::size_t>(root_)]};
  }

 private:
  NodeWindow& window_;
  WindowTurn turn_;
  std::byte* const data_;
  const std::size_t bytes_;
  const int root_;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<Piece> make_window_broadcast(const WindowPiece& piece, std::byte* data,
                                             std::size_t bytes, int root) {
  return std::make_unique<WindowBroadcast>(piece, data, bytes, root);
}

}  // namespace casvit::launch
