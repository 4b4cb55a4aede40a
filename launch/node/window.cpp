#include "launch/node/window.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "launch/error.h"

namespace casvit::launch {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kLeastPart = 64;
/// Of all ranks of a node: containers have 64 MB of /dev/shm unless told otherwise.
constexpr std::size_t kLargestWindow = std::size_t{48} << 20;

bool wanted_here() {
  const char* value = std::getenv("CASVIT_SHARED_MEMORY");
  return value == nullptr || std::string(value) != "off";
}

/// A file of shared memory, by its name, up to the end of the scope.
class SharedFile {
 public:
  SharedFile(std::string name, int flags)
      : name_(std::move(name)), descriptor_(::shm_open(name_.c_str(), flags | O_RDWR, 0600)) {}
  SharedFile(const SharedFile&) = delete;
  SharedFile& operator=(const SharedFile&) = delete;
  ~SharedFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  bool good() const { return descriptor_ >= 0; }
  bool resize(std::size_t bytes) const {
    return good() && ::ftruncate(descriptor_, static_cast<off_t>(bytes)) == 0;
  }
  bool has(std::size_t bytes) const {
    struct stat found {};
    return good() && ::fstat(descriptor_, &found) == 0 &&
           static_cast<std::size_t>(found.st_size) == bytes;
  }
  /// Memory for that range, from this rank's part of the machine: to find none at the first write
  /// would be the end of the process.
  bool reserve(std::size_t begin, std::size_t bytes) const {
    int code = EINTR;
    while (code == EINTR) {
      code = ::posix_fallocate(descriptor_, static_cast<off_t>(begin), static_cast<off_t>(bytes));
    }
    return code == 0;
  }
  std::byte* map(std::size_t bytes) const {
    void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
  }
  void unlink() const { ::shm_unlink(name_.c_str()); }

 private:
  const std::string name_;
  const int descriptor_;
};

bool true_everywhere(MPI_Comm node, bool here) {
  int everywhere = here ? 1 : 0;
  CASVIT_CHECK_MPI(MPI_Allreduce(MPI_IN_PLACE, &everywhere, 1, MPI_INT, MPI_MIN, node));
  return everywhere != 0;
}

}  // namespace

NodeWindow::NodeWindow(MPI_Comm node, int rank, const Shape& shape) : last_turn_(shape.slots) {
  int local_size = 1;
  CASVIT_CHECK_MPI(MPI_Comm_rank(node, &local_rank_));
  CASVIT_CHECK_MPI(MPI_Comm_size(node, &local_size));
  ranks_.resize(static_cast<std::size_t>(local_size));
  CASVIT_CHECK_MPI(MPI_Allgather(&rank, 1, MPI_INT, ranks_.data(), 1, MPI_INT, node));
  const std::size_t share = kLargestWindow / slots() / ranks_.size();
  slot_bytes_ = std::clamp(share / kPage * kPage, kPage, shape.slot_bytes);
  // Alone on a node, there is nobody to hand anything to; of very many, each would have too little.
  const bool wanted = local_size > 1 && slot_bytes_ / ranks_.size() >= kLeastPart && wanted_here();
  if (!map(node, wanted)) return;
  for (std::size_t i = 0; i < slots(); ++i) new (&mark(local_rank_, i)) Mark;
  CASVIT_CHECK_MPI(MPI_Barrier(node));  // nobody looks before everything is there
}

NodeWindow::~NodeWindow() {
  if (memory_ != nullptr) ::munmap(memory_, total_bytes());
}

/// All ranks map the memory, or none does.
bool NodeWindow::map(MPI_Comm node, bool wanted) {
  if (!true_everywhere(node, wanted)) return false;
  std::array<char, 64> name{};
  if (local_rank_ == 0) {
    std::random_device random;
    std::snprintf(name.data(), name.size(), "/casvit-%d-%08x%08x", static_cast<int>(::getpid()),
                  random(), random());
  }
  // Made before its name is told; it goes when all have opened it or cannot.
  std::optional<SharedFile> made;
  if (local_rank_ == 0) made.emplace(name.data(), O_CREAT | O_EXCL);
  bool good = !made || made->resize(total_bytes());
  CASVIT_CHECK_MPI(MPI_Bcast(name.data(), static_cast<int>(name.size()), MPI_CHAR, 0, node));
  const SharedFile file(name.data(), 0);
  good = good && file.has(total_bytes());
  const std::size_t mine = slot_bytes_ * slots();
  good = good && file.reserve(data_begin() + mine * static_cast<std::size_t>(local_rank_), mine);
  if (made) good = good && file.reserve(0, data_begin());
  std::byte* const memory = good ? file.map(total_bytes()) : nullptr;
  good = true_everywhere(node, memory != nullptr);
  if (made) made->unlink();
  if (good) {
    memory_ = memory;
  } else if (memory != nullptr) {
    ::munmap(memory, total_bytes());
  }
  return good;
}

std::size_t NodeWindow::data_begin() const {
  return (sizeof(Mark) * slots() * ranks_.size() + kPage - 1) / kPage * kPage;
}

std::size_t NodeWindow::total_bytes() const {
  return data_begin() + slot_bytes_ * slots() * ranks_.size();
}

NodeWindow::Mark& NodeWindow::mark(int local_rank, std::size_t slot) const {
  return reinterpret_cast<Mark*>(memory_)[static_cast<std::size_t>(local_rank) * slots() + slot];
}

std::byte* NodeWindow::slot(int local_rank, std::size_t slot) const {
  return memory_ + data_begin() +
         slot_bytes_ * (static_cast<std::size_t>(local_rank) * slots() + slot);
}

WindowTurn::WindowTurn(NodeWindow& window, std::size_t sequence, std::uint64_t signature)
    : window_(window),
      slot_(sequence % window.slots()),
      turn_(sequence + 1),
      signature_(signature),
      former_turn_(std::exchange(window.last_turn_[slot_], turn_)) {}

bool WindowTurn::may_write() {
  for (int peer = 0; !free_ && peer < window_.local_size(); ++peer) {
    if (peer == window_.local_rank()) continue;
    if (window_.mark(peer, slot_).left.load(std::memory_order_acquire) < former_turn_) return false;
  }
  free_ = true;
  return true;
}

void WindowTurn::contribute() {
  NodeWindow::Mark& mine = window_.mark(window_.local_rank(), slot_);
  mine.signature.store(signature_, std::memory_order_relaxed);
  mine.contributed.store(turn_, std::memory_order_release);
}

bool WindowTurn::contributed(int local_rank) const {
  const NodeWindow::Mark& theirs = window_.mark(local_rank, slot_);
  if (theirs.contributed.load(std::memory_order_acquire) != turn_) return false;
  if (theirs.signature.load(std::memory_order_relaxed) == signature_) return true;
  throw CommunicationError(
      "rank " + std::to_string(window_.ranks()[static_cast<std::size_t>(local_rank)]) +
      " came with another collective: do all ranks call the same collectives, in the same order, "
      "with the same counts?");
}

void WindowTurn::finish() {
  window_.mark(window_.local_rank(), slot_).finished.store(turn_, std::memory_order_release);
}

bool WindowTurn::finished(int local_rank) const {
  return window_.mark(local_rank, slot_).finished.load(std::memory_order_acquire) == turn_;
}

void WindowTurn::leave() {
  window_.mark(window_.local_rank(), slot_).left.store(turn_, std::memory_order_release);
}

}  // namespace casvit::launch
