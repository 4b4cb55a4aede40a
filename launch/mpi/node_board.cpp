#include "launch/mpi/node_board.h"

#include <cerrno>
#include <new>

namespace casvit::launch {

static_assert(std::atomic<int>::is_always_lock_free, "shared between processes");
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

namespace {

/// The next address with this alignment. Every rank finds the same place: the memory begins at the
/// same offset in a page for all of them.
std::byte* align(std::byte* address, std::size_t alignment) {
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  return address + (alignment - number % alignment) % alignment;
}

std::int64_t nanoseconds_now() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Held from here on by the calling thread.
void lock_for_life(pthread_mutex_t& mutex) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  pthread_mutex_lock(&mutex);
}

bool owner_died(pthread_mutex_t& mutex) {
  const int found = pthread_mutex_trylock(&mutex);
  if (found == EBUSY) return false;
  // Given up unlocked by a rank that left in good order. Unlocking what a dead one held, without
  // declaring it consistent, has everyone after us see ENOTRECOVERABLE.
  if (found == 0 || found == EOWNERDEAD) pthread_mutex_unlock(&mutex);
  return found == EOWNERDEAD || found == ENOTRECOVERABLE;
}

}  // namespace

NodeBoard::NodeBoard(MPI_Comm node, int rank) {
  CASVIT_CHECK_MPI(MPI_Comm_rank(node, &local_rank_));
  CASVIT_CHECK_MPI(MPI_Comm_size(node, &local_size_));
  void* mine = nullptr;
  // MPI promises no alignment: there is room for one more slot to find it.
  const std::size_t all =
      sizeof(Shared) + sizeof(Slot) * (static_cast<std::size_t>(local_size_) + 1);
  const MPI_Aint bytes = local_rank_ == 0 ? static_cast<MPI_Aint>(all) : 0;
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
  void* base = nullptr;
  CASVIT_CHECK_MPI(MPI_Win_shared_query(window_, 0, &shared_bytes, &unit, &base));
  std::byte* const start = align(static_cast<std::byte*>(base), alignof(Shared));
  auto* const slots = reinterpret_cast<Slot*>(align(start + sizeof(Shared), alignof(Slot)));
  if (local_rank_ == 0) new (start) Shared;
  auto* const own = new (slots + local_rank_) Slot;
  own->rank = rank;
  lock_for_life(own->life);
  CASVIT_CHECK_MPI(MPI_Barrier(node));  // nobody looks before everything is there
  slots_ = slots;
  shared_ = reinterpret_cast<Shared*>(start);
}

void NodeBoard::release() {
  if (shared_.exchange(nullptr) == nullptr) return;
  pthread_mutex_unlock(&slots_[local_rank_].life);
  CASVIT_CHECK_MPI(MPI_Win_free(&window_));
}

bool NodeBoard::claim_failure() {
  Shared* const shared = shared_.load();
  if (shared == nullptr) return true;
  return shared->claimed.exchange(1) == 0;
}

void NodeBoard::note_issued(std::uint64_t collective) {
  if (shared_.load() != nullptr) slots_[local_rank_].issued.store(collective);
}

void NodeBoard::note_issued_on_device(std::uint64_t collective) {
  if (shared_.load() != nullptr) slots_[local_rank_].issued_on_device.store(collective);
}

void NodeBoard::note_alive() {
  if (shared_.load() != nullptr) slots_[local_rank_].alive_at.store(nanoseconds_now());
}

void NodeBoard::note_idle() {
  if (shared_.load() != nullptr) slots_[local_rank_].alive_at.store(0);
}

void NodeBoard::note_life(bool watched) {
  if (shared_.load() == nullptr) return;
  slots_[local_rank_].life_at.store(watched ? nanoseconds_now() : 0);
}

std::vector<NodeBoard::Neighbour> NodeBoard::neighbours() const {
  std::vector<Neighbour> found;
  if (shared_.load() == nullptr) return found;
  for (int i = 0; i < local_size_; ++i) {
    if (i == local_rank_) continue;
    Slot& slot = slots_[i];
    const std::int64_t alive_at = slot.alive_at.load();
    const std::int64_t silent = alive_at == 0 ? 0 : nanoseconds_now() - alive_at;
    Neighbour neighbour;
    neighbour.rank = slot.rank;
    neighbour.issued = slot.issued.load();
    neighbour.issued_on_device = slot.issued_on_device.load();
    neighbour.silent = std::chrono::nanoseconds(silent);
    const std::int64_t life_at = slot.life_at.load();
    if (life_at != 0) neighbour.lifeless = std::chrono::nanoseconds(nanoseconds_now() - life_at);
    neighbour.dead = owner_died(slot.life);
    found.push_back(neighbour);
  }
  return found;
}

}  // namespace casvit::launch
