#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "launch/mpi/check.h"

namespace casvit::launch {

/// Memory that the ranks of a node share, in which they see of one another what no message tells
/// any more once something went wrong. It works from any thread, however MPI is stuck.
///
/// - Which of them failed first. Ranks often fail together (the same missing file, the same bad
///   option), and the user is to read one message.
/// - How many collectives each has issued: the one that is behind is the one that others wait for.
/// - When the thread that owns MPI last looked about: one that is stuck inside MPI does not.
/// - When each showed life last, as its watchdog knows, while it has something watched: others may
///   wait for it as long as it does.
/// - Who is dead: each holds a robust mutex for life, which the kernel gives up in its place.
class NodeBoard {
 public:
  /// Collective over `node`, on the thread that owns MPI and lives as long as the rank. Where the
  /// node cannot share memory every rank counts as first and sees nobody: several messages are
  /// better than a job that does not start.
  /// @param rank of this process, of all
  NodeBoard(MPI_Comm node, int rank);
  NodeBoard(const NodeBoard&) = delete;
  NodeBoard& operator=(const NodeBoard&) = delete;

  /// Collective; before MPI_Finalize, by the thread that made it. Afterwards every claim succeeds
  /// and nobody is seen.
  void release();

  /// True for the first claim of all ranks on this node.
  bool claim_failure();

  void note_issued(std::uint64_t collective);
  /// The same for those between GPUs, which are numbered apart.
  void note_issued_on_device(std::uint64_t collective);
  /// The thread that owns MPI goes round.
  void note_alive();
  /// It sleeps until it gets work.
  void note_idle();
  /// This rank shows life. @param watched whether a watchdog watches on
  void note_life(bool watched);

  struct Neighbour {
    int rank = 0;
    std::uint64_t issued = 0;            ///< the number of its last collective
    std::uint64_t issued_on_device = 0;  ///< of its last between GPUs
    /// Since its thread that owns MPI went round last; zero while that has nothing to do.
    std::chrono::nanoseconds silent{0};
    /// Since it showed life last; none where nothing of it is watched.
    std::optional<std::chrono::nanoseconds> lifeless;
    bool dead = false;
  };
  /// The other ranks of this node.
  std::vector<Neighbour> neighbours() const;

 private:
  struct alignas(64) Slot {
    int rank = 0;
    std::atomic<std::uint64_t> issued{0};
    std::atomic<std::uint64_t> issued_on_device{0};
    std::atomic<std::int64_t> alive_at{0};  ///< of the steady clock, which a node shares; 0: idle
    std::atomic<std::int64_t> life_at{0};   ///< 0: nothing is watched
    pthread_mutex_t life{};
  };
  struct Shared {
    std::atomic<int> claimed{0};
  };

  MPI_Win window_ = MPI_WIN_NULL;
  int local_rank_ = 0;
  int local_size_ = 1;
  std::atomic<Shared*> shared_{nullptr};
  Slot* slots_ = nullptr;
};

}  // namespace casvit::launch
