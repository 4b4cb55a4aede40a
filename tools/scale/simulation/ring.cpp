#include <mpi.h>

#include <algorithm>
#include <vector>

#include "tools/scale/simulation/collectives.h"

namespace casvit::scale {
namespace {

std::int64_t part_bytes(std::int64_t bytes, int parts, int part) {
  const int at = (part % parts + parts) % parts;
  return bytes / parts + (at < bytes % parts ? 1 : 0);
}

/// `size - 1` times: a part to the next member, another from the one before. A step begins when
/// the one before has brought its part; receives are posted some steps ahead, as buffers of the
/// receiver's that are free.
/// @param first the part that this member sends first, relative to its place
void go_round(const Group& group, std::byte* buffer, std::int64_t bytes, int first) {
  constexpr int kAhead = 4;
  const int size = group.size();
  const int next = group.member(group.place + 1);
  const int previous = group.member(group.place - 1);
  std::vector<MPI_Request> receives(static_cast<std::size_t>(size), MPI_REQUEST_NULL);
  std::vector<MPI_Request> sends(static_cast<std::size_t>(size), MPI_REQUEST_NULL);
  const auto post = [&](int step) {
    if (step >= size - 1) return;
    const std::int64_t in = part_bytes(bytes, size, group.place + first - step - 1);
    MPI_Irecv(buffer, static_cast<int>(in), MPI_BYTE, previous, 0, MPI_COMM_WORLD,
              &receives[static_cast<std::size_t>(step)]);
  };
  for (int step = 0; step < kAhead; ++step) post(step);
  for (int step = 0; step < size - 1; ++step) {
    const std::int64_t out = part_bytes(bytes, size, group.place + first - step);
    MPI_Isend(buffer, static_cast<int>(out), MPI_BYTE, next, 0, MPI_COMM_WORLD,
              &sends[static_cast<std::size_t>(step)]);
    MPI_Wait(&receives[static_cast<std::size_t>(step)], MPI_STATUS_IGNORE);
    post(step + kAhead);
  }
  MPI_Waitall(size, sends.data(), MPI_STATUSES_IGNORE);
}

}  // namespace

void ring_reduce_scatter(const Group& group, std::byte* buffer, std::int64_t bytes) {
  go_round(group, buffer, bytes, /*first=*/-1);
}

void ring_all_gather(const Group& group, std::byte* buffer, std::int64_t bytes) {
  go_round(group, buffer, bytes, /*first=*/0);
}

void ring_all_reduce(const Group& group, std::byte* buffer, std::int64_t bytes) {
  ring_reduce_scatter(group, buffer, bytes);
  ring_all_gather(group, buffer, bytes);
}

void hierarchical_all_reduce(const std::vector<std::vector<int>>& nodes, int rank, bool tree_across,
                             std::byte* buffer, std::int64_t bytes) {
  Group local;
  Group across;
  for (const std::vector<int>& node : nodes) {
    const auto found = std::find(node.begin(), node.end(), rank);
    if (found != node.end()) {
      local = {node, static_cast<int>(found - node.begin())};
      across.place = static_cast<int>(&node - nodes.data());
    }
  }
  for (const std::vector<int>& node : nodes) {
    across.members.push_back(node[static_cast<std::size_t>(local.place)]);
  }
  ring_reduce_scatter(local, buffer, bytes);
  const std::int64_t mine = part_bytes(bytes, local.size(), local.place);
  if (tree_across) {
    std::vector<std::vector<int>> alone;
    for (const int member : across.members) {
      alone.push_back({member});
    }
    tree_all_reduce(alone, rank, buffer, mine);
  } else {
    ring_all_reduce(across, buffer, mine);
  }
  ring_all_gather(local, buffer, bytes);
}

}  // namespace casvit::scale
