#include "launch/mpi_communicator.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>

#include "launch/arguments.h"
#include "launch/mpi/pieces.h"
#include "launch/mpi/thread.h"
#include "launch/node/pieces.h"

namespace casvit::launch {
namespace {

constexpr std::size_t kLargestPiece = std::size_t{1} << 30;  // MPI counts messages in an int

/// `total` things in cuts of `length`, the last one shorter.
struct Cuts {
  std::size_t total;
  std::size_t length;

  std::size_t count() const { return total / length + (total % length == 0 ? 0 : 1); }
  std::size_t begin(std::size_t index) const { return index * length; }
  std::size_t size(std::size_t index) const { return std::min(length, total - begin(index)); }
};

/// Tells operations apart that ranks may have mixed up.
std::uint64_t signature(std::initializer_list<std::uint64_t> values) {
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a, a value at a time
  for (const std::uint64_t value : values) hash = (hash ^ value) * 0x100000001b3U;
  return hash;
}

enum class Kind : std::uint64_t { kAllReduce, kReduceScatter, kAllGather, kBroadcast, kBarrier };

std::uint64_t signature(Kind kind, std::size_t count, ElementType type, std::uint64_t more) {
  return signature(
      {static_cast<std::uint64_t>(kind), count, static_cast<std::uint64_t>(type), more});
}

std::string describe(const char* operation, std::size_t count, ElementType type) {
  return std::string(operation) + " of " + std::to_string(count) + " " + element_name(type);
}

std::string describe(const char* operation, ReduceOp op, std::size_t count, ElementType type) {
  return std::string(operation) + " (" + reduce_op_name(op) + ") of " + std::to_string(count) +
         " " + element_name(type);
}

}  // namespace

MpiCommunicator::MpiCommunicator(MpiThread& thread, std::size_t piece_bytes)
    : thread_(thread), piece_bytes_(std::clamp<std::size_t>(piece_bytes, 1, kLargestPiece)) {}

int MpiCommunicator::rank() const { return thread_.layout().rank; }
int MpiCommunicator::size() const { return thread_.layout().size; }

/// The way that an operation takes, from its issue on: pieces outlive the communicator.
struct MpiCommunicator::Way {
  PieceContext* all = nullptr;
  NodeWindow* window = nullptr;    ///< none: messages between all ranks
  PieceContext* across = nullptr;  ///< besides the window, where there are several nodes

  Way within_one_node() const { return across == nullptr ? *this : Way{all, nullptr, nullptr}; }
  WindowPiece piece(std::size_t sequence, std::uint64_t what) const {
    return {*window, sequence, what, across};
  }
  int nodes() const { return across == nullptr ? 1 : across->size; }

  /// What fits of a piece; of its part for each rank; of what each rank gives to be gathered.
  std::size_t piece_bytes(std::size_t wanted) const {
    return window == nullptr ? wanted : std::min(wanted, window->slot_bytes());
  }
  std::size_t part_bytes(std::size_t wanted) const {
    return window == nullptr ? wanted : std::min(wanted, window_part_bytes(*window, nodes()));
  }
  std::size_t gathered_bytes(std::size_t wanted, int ranks) const {
    if (window == nullptr) return wanted / static_cast<std::size_t>(ranks);
    return std::min(wanted, window->slot_bytes() / static_cast<std::size_t>(nodes()));
  }
};

MpiCommunicator::Way MpiCommunicator::choose_way() {
  Paths& paths = thread_.paths();
  if (paths.one_node()) return {&paths.all, paths.window.get(), nullptr};
  if (paths.two_levels()) return {&paths.all, paths.window.get(), &paths.across};
  return {&paths.all, nullptr, nullptr};
}

Completion MpiCommunicator::submit(std::string description, std::size_t piece_count,
                                   Operation::MakePiece make_piece) {
  if (const std::string purpose = take_purpose(); !purpose.empty()) {
    description += " for " + purpose;
  }
  auto operation =
      std::make_shared<Operation>(std::move(description), piece_count, std::move(make_piece));
  thread_.submit(operation);
  return Completion(std::move(operation));
}

Completion MpiCommunicator::all_reduce(void* buffer, std::size_t count, ElementType type,
                                       ReduceOp op) {
  check_op(op, size());
  check_buffer(buffer, checked_bytes(count, type, 1), "all_reduce");
  const Way way = choose_way();
  const std::size_t width = element_bytes(type);
  const Cuts cuts{count, std::max<std::size_t>(way.piece_bytes(piece_bytes_) / width, 1)};
  auto* data = static_cast<std::byte*>(buffer);
  const std::uint64_t what =
      signature(Kind::kAllReduce, count, type, static_cast<std::uint64_t>(op));
  return submit(describe("all_reduce", op, count, type), cuts.count(),
                [=](std::size_t index, std::size_t sequence) {
                  std::byte* const begin = data + cuts.begin(index) * width;
                  if (way.window == nullptr) {
                    return make_all_reduce_piece(*way.all, sequence, begin, cuts.size(index), type,
                                                 op);
                  }
                  return make_window_all_reduce(way.piece(sequence, what + index), begin,
                                                cuts.size(index), type, op);
                });
}

Completion MpiCommunicator::reduce_scatter(const void* input, void* output, std::size_t count,
                                           ElementType type, ReduceOp op) {
  check_op(op, size());
  const std::size_t bytes = checked_bytes(count, type, size());
  check_buffer(input, bytes, "reduce_scatter");
  check_buffer(output, bytes, "reduce_scatter");
  const Way way = choose_way();
  const std::size_t width = element_bytes(type);
  const std::size_t stride = count * width;
  const std::size_t part_bytes = way.part_bytes(piece_bytes_ / static_cast<std::size_t>(size()));
  const Cuts cuts{count, std::max<std::size_t>(part_bytes / width, 1)};
  const auto* from = static_cast<const std::byte*>(input);
  auto* to = static_cast<std::byte*>(output);
  const std::uint64_t what =
      signature(Kind::kReduceScatter, count, type, static_cast<std::uint64_t>(op));
  return submit(describe("reduce_scatter", op, count, type), cuts.count(),
                [=](std::size_t index, std::size_t sequence) {
                  const std::size_t offset = cuts.begin(index) * width;
                  if (way.window == nullptr) {
                    return make_reduce_scatter_piece(*way.all, sequence, from + offset, stride,
                                                     to + offset, cuts.size(index), type, op);
                  }
                  return make_window_reduce_scatter(way.piece(sequence, what + index),
                                                    from + offset, stride, to + offset,
                                                    cuts.size(index), type, op);
                });
}

Completion MpiCommunicator::all_gather(const void* input, void* output, std::size_t count,
                                       ElementType type) {
  const std::size_t bytes = checked_bytes(count, type, size());
  check_buffer(input, bytes, "all_gather");
  check_buffer(output, bytes, "all_gather");
  const Way way = choose_way();
  const std::size_t stride = count * element_bytes(type);
  const Cuts cuts{stride, std::max<std::size_t>(way.gathered_bytes(piece_bytes_, size()), 1)};
  const auto* from = static_cast<const std::byte*>(input);
  auto* to = static_cast<std::byte*>(output);
  const std::uint64_t what = signature(Kind::kAllGather, count, type, 0);
  return submit(describe("all_gather", count, type), cuts.count(),
                [=](std::size_t index, std::size_t sequence) {
                  const std::byte* const mine = from + cuts.begin(index);
                  std::byte* const all = to + cuts.begin(index);
                  if (way.window == nullptr) {
                    return make_all_gather_piece(*way.all, sequence, mine, all, stride,
                                                 cuts.size(index));
                  }
                  return make_window_all_gather(way.piece(sequence, what + index), mine, all,
                                                stride, cuts.size(index));
                });
}

/// Small, and seldom: between nodes it is messages.
Completion MpiCommunicator::broadcast(void* buffer, std::size_t count, ElementType type, int root) {
  check_root(root, size());
  const std::size_t bytes = checked_bytes(count, type, 1);
  check_buffer(buffer, bytes, "broadcast");
  const Way way = choose_way().within_one_node();
  const Cuts cuts{bytes, way.piece_bytes(piece_bytes_)};
  auto* data = static_cast<std::byte*>(buffer);
  const std::uint64_t what =
      signature(Kind::kBroadcast, count, type, static_cast<std::uint64_t>(root));
  return submit(describe("broadcast", count, type), cuts.count(),
                [=](std::size_t index, std::size_t sequence) {
                  std::byte* const begin = data + cuts.begin(index);
                  if (way.window == nullptr) {
                    return make_broadcast_piece(*way.all, sequence, begin, cuts.size(index), root);
                  }
                  return make_window_broadcast(way.piece(sequence, what + index), begin,
                                               cuts.size(index), root);
                });
}

void MpiCommunicator::barrier() {
  const Way way = choose_way().within_one_node();
  const std::uint64_t what = signature({static_cast<std::uint64_t>(Kind::kBarrier)});
  submit("barrier", 1, [=](std::size_t, std::size_t sequence) {
    if (way.window == nullptr) return make_barrier_piece(*way.all);
    return make_window_barrier(way.piece(sequence, what));
  }).wait();
}

}  // namespace casvit::launch
