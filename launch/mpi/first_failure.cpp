#include "launch/mpi/first_failure.h"

#include <new>

namespace casvit::launch {

static_assert(std::atomic<int>::is_always_lock_free, "shared between processes");

FirstFailure::FirstFailure(MPI_Comm node) {
  int rank = 0;
  CASVIT_CHECK_MPI(MPI_Comm_rank(node, &rank));
  void* mine = nullptr;
  const MPI_Aint bytes = rank == 0 ? sizeof(std::atomic<int>) : 0;
  const bool allocated =
      MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, node, &mine, &window_) == MPI_SUCCESS;
  // Either all ranks have it or none uses it.
  int everywhere = allocated ? 1 : 0;
  CASVIT_CHECK_MPI(MPI_Allreduce(MPI_IN_PLACE, &everywhere, 1, MPI_INT, MPI_MIN, node));
  if (everywhere == 0) {
    if (!allocated) window_ = MPI_WIN_NULL;
    return;
  }
  MPI_Aint shared_bytes = 0;
  int unit = 0;
  void* shared = nullptr;
  CASVIT_CHECK_MPI(MPI_Win_shared_query(window_, 0, &shared_bytes, &unit, &shared));
  if (rank == 0) new (shared) std::atomic<int>(0);
  CASVIT_CHECK_MPI(MPI_Barrier(node));  // nobody claims before the zero is there
  claimed_ = static_cast<std::atomic<int>*>(shared);
}

void FirstFailure::release() {
  claimed_ = nullptr;
  if (window_ != MPI_WIN_NULL) CASVIT_CHECK_MPI(MPI_Win_free(&window_));
}

bool FirstFailure::claim() {
  std::atomic<int>* const claimed = claimed_.load();
  if (claimed == nullptr) return true;
  return claimed->exchange(1) == 0;
}

}  // namespace casvit::launch
