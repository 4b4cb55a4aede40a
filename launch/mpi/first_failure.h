#pragma once

#include <atomic>

#include "launch/mpi/check.h"

namespace casvit::launch {

/// Which of the ranks on this node failed first. Ranks often fail together (the same missing file,
/// the same bad option), and the user is to read one message. A word of memory that the node's
/// ranks share decides it without any MPI call, so it works from any thread, however MPI is stuck.
class FirstFailure {
 public:
  /// Collective over `node`, on the thread that owns MPI. Where the node cannot share memory every
  /// rank counts as first: several messages are better than a job that does not start.
  explicit FirstFailure(MPI_Comm node);
  FirstFailure(const FirstFailure&) = delete;
  FirstFailure& operator=(const FirstFailure&) = delete;

  /// Collective; before MPI_Finalize. Afterwards every claim succeeds.
  void release();

  /// True for the first claim of all ranks on this node.
  bool claim();

 private:
  MPI_Win window_ = MPI_WIN_NULL;
  std::atomic<std::atomic<int>*> claimed_{nullptr};
};

}  // namespace casvit::launch
