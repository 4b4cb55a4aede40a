#include "launch/mpi/layout.h"

#include <algorithm>
#include <vector>

#include "launch/affinity.h"
#include "launch/host_name.h"

namespace casvit::launch {
namespace {

/// Counts, for each CPU, the ranks of this node that may run on it.
bool cores_are_private(MPI_Comm node) {
  const std::vector<int> mine = affinity_cpus();
  int cpus = mine.empty() ? 1 : mine.back() + 1;
  CASVIT_CHECK_MPI(MPI_Allreduce(MPI_IN_PLACE, &cpus, 1, MPI_INT, MPI_MAX, node));
  std::vector<int> users(static_cast<std::size_t>(cpus), 0);
  for (const int cpu : mine) users[static_cast<std::size_t>(cpu)] = 1;
  CASVIT_CHECK_MPI(MPI_Allreduce(MPI_IN_PLACE, users.data(), cpus, MPI_INT, MPI_SUM, node));
  return std::all_of(mine.begin(), mine.end(),
                     [&](int cpu) { return users[static_cast<std::size_t>(cpu)] == 1; });
}

/// Everybody's host name, cut to what fits.
std::vector<std::string> all_hosts(MPI_Comm world, int size, const std::string& mine) {
  constexpr std::size_t kLength = 64;
  std::string padded = mine.substr(0, kLength);
  padded.resize(kLength);
  std::string all(kLength * static_cast<std::size_t>(size), '\0');
  CASVIT_CHECK_MPI(
      MPI_Allgather(padded.data(), kLength, MPI_CHAR, all.data(), kLength, MPI_CHAR, world));
  std::vector<std::string> hosts;
  for (std::size_t at = 0; at < all.size(); at += kLength) {
    hosts.emplace_back(all.substr(at, kLength).c_str());  // up to the padding
  }
  return hosts;
}

}  // namespace

Layout discover_layout(MPI_Comm world, MPI_Comm node) {
  Layout layout;
  layout.host = host_name();
  CASVIT_CHECK_MPI(MPI_Comm_rank(world, &layout.rank));
  CASVIT_CHECK_MPI(MPI_Comm_size(world, &layout.size));
  CASVIT_CHECK_MPI(MPI_Comm_rank(node, &layout.local_rank));
  CASVIT_CHECK_MPI(MPI_Comm_size(node, &layout.local_size));
  // As many nodes as there are first ranks on one.
  layout.node_count = layout.local_rank == 0 ? 1 : 0;
  CASVIT_CHECK_MPI(MPI_Allreduce(MPI_IN_PLACE, &layout.node_count, 1, MPI_INT, MPI_SUM, world));
  layout.hosts = all_hosts(world, layout.size, layout.host);
  layout.has_private_cores = cores_are_private(node);
  return layout;
}

}  // namespace casvit::launch
