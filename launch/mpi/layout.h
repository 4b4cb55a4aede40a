#pragma once

#include <string>
#include <vector>

#include "launch/mpi/check.h"

namespace casvit::launch {

/// Where this rank stands among the others.
struct Layout {
  int rank = 0;
  int size = 1;
  int local_rank = 0;
  int local_size = 1;
  int node_count = 1;
  bool has_private_cores = true;  ///< no CPU of this rank's mask is in a neighbour's
  std::string host;
  std::vector<std::string> hosts;  ///< of every rank
};

/// Collective over `world`; `node` is the communicator of the ranks that share this node's memory.
Layout discover_layout(MPI_Comm world, MPI_Comm node);

}  // namespace casvit::launch
