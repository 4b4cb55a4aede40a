#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "launch/mpi/check.h"

namespace casvit::launch {

/// Memory through which the ranks of a node hand data to one another: each has a ring of slots that
/// it alone writes and the others read, so that a byte is copied in once and read from where it
/// lies. It is small enough to stay in the cores' shared cache.
///
/// Of every piece (see Piece) that goes through the window each rank publishes three things: that
/// its contribution lies in its slot, that its result does, and that it has read what it needs of
/// everybody's. A slot is written again when all have left it. Nothing blocks.
class NodeWindow {
 public:
  /// Of one rank.
  struct Shape {
    std::size_t slots = 16;                           ///< pieces that lie there at a time
    std::size_t slot_bytes = std::size_t{128} << 10;  ///< at most; fewer where many ranks share
  };

  /// Collective over `node`, on the thread that owns MPI. Where the node's ranks cannot share
  /// memory (no room in /dev/shm, containers that see different ones, CASVIT_SHARED_MEMORY=off on
  /// one of them) it is not usable, alike on all of them.
  /// @param rank of this process, of all
  NodeWindow(MPI_Comm node, int rank, const Shape& shape);
  NodeWindow(const NodeWindow&) = delete;
  NodeWindow& operator=(const NodeWindow&) = delete;
  ~NodeWindow();

  bool usable() const { return memory_ != nullptr; }
  /// Of this process, among the node's ranks.
  int local_rank() const { return local_rank_; }
  int local_size() const { return static_cast<int>(ranks_.size()); }
  /// Of all ranks, by local rank.
  const std::vector<int>& ranks() const { return ranks_; }
  std::size_t slots() const { return last_turn_.size(); }
  std::size_t slot_bytes() const { return slot_bytes_; }

 private:
  friend class WindowTurn;

  /// What a rank tells of one slot: the numbers of turns, from 1.
  struct alignas(64) Mark {
    std::atomic<std::uint64_t> contributed{0};
    std::atomic<std::uint64_t> finished{0};
    std::atomic<std::uint64_t> left{0};
    std::atomic<std::uint64_t> signature{0};  ///< of the piece; before `contributed`
  };

  std::size_t data_begin() const;
  std::size_t total_bytes() const;
  bool map(MPI_Comm node, bool wanted);
  Mark& mark(int local_rank, std::size_t slot) const;
  std::byte* slot(int local_rank, std::size_t slot) const;

  int local_rank_ = 0;
  std::vector<int> ranks_;
  std::size_t slot_bytes_ = 0;
  std::byte* memory_ = nullptr;
  std::vector<std::uint64_t> last_turn_;  ///< that took each slot
};

/// One piece's use of the window. Pieces are made in the same order on every rank.
class WindowTurn {
 public:
  /// @param sequence numbers the pieces of all operations, from 0
  /// @param signature says what this piece is; the same on every rank
  WindowTurn(NodeWindow& window, std::size_t sequence, std::uint64_t signature);

  /// Whether everybody has left this rank's slot, so that it may be written.
  bool may_write();
  /// This rank's slot holds its contribution.
  void contribute();
  /// Whether that local rank's slot does. @throws CommunicationError when it came to another piece
  bool contributed(int local_rank) const;
  /// This rank's slot holds its result.
  void finish();
  bool finished(int local_rank) const;
  /// This rank reads no other's slot any more.
  void leave();

  std::byte* slot() const { return window_.slot(window_.local_rank_, slot_); }
  const std::byte* slot(int local_rank) const { return window_.slot(local_rank, slot_); }

 private:
  NodeWindow& window_;
  const std::size_t slot_;
  const std::uint64_t turn_;
  const std::uint64_t signature_;
  std::uint64_t former_turn_ = 0;  ///< the one that had the slot
  bool free_ = false;
};

}  // namespace casvit::launch
