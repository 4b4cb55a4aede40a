#include "launch/mpi/paths.h"

#include <cstddef>
#include <memory>

#include "launch/node/pieces.h"

namespace casvit::launch {
namespace {

bool true_everywhere(bool here) {
  int everywhere = here ? 1 : 0;
  CASVIT_CHECK_MPI(MPI_Allreduce(MPI_IN_PLACE, &everywhere, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD));
  return everywhere != 0;
}

/// Whether this rank is where it would be if nodes held equally many consecutive ranks.
bool is_in_place(const Layout& layout, const PieceContext& across, const NodeWindow& window) {
  if (across.size != layout.node_count || layout.size != layout.node_count * layout.local_size) {
    return false;
  }
  for (int place = 0; place < layout.local_size; ++place) {
    const int expected = across.rank * layout.local_size + place;
    if (window.ranks()[static_cast<std::size_t>(place)] != expected) return false;
  }
  return true;
}

}  // namespace

void make_paths(Paths& paths, MPI_Comm node, const Layout& layout) {
  // Duplicates inherit the error handler. One of our own keeps our tags apart from anybody else's.
  CASVIT_CHECK_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &paths.all.communicator));
  paths.all.rank = layout.rank;
  paths.all.size = layout.size;

  // Between nodes a piece is cut further: it should begin large.
  const NodeWindow::Shape several_nodes{4, std::size_t{4} << 20};
  paths.window = std::make_unique<NodeWindow>(
      node, layout.rank, layout.node_count > 1 ? several_nodes : NodeWindow::Shape{});

  PieceContext& across = paths.across;
  CASVIT_CHECK_MPI(
      MPI_Comm_split(MPI_COMM_WORLD, layout.local_rank, layout.rank, &across.communicator));
  CASVIT_CHECK_MPI(MPI_Comm_rank(across.communicator, &across.rank));
  CASVIT_CHECK_MPI(MPI_Comm_size(across.communicator, &across.size));
  across.world_ranks.resize(static_cast<std::size_t>(across.size));
  int rank = layout.rank;
  CASVIT_CHECK_MPI(
      MPI_Allgather(&rank, 1, MPI_INT, across.world_ranks.data(), 1, MPI_INT, across.communicator));
  const bool levels = layout.node_count > 1 && paths.window->usable() &&
                      is_in_place(layout, across, *paths.window) &&
                      window_part_bytes(*paths.window, layout.node_count) > 0;
  paths.has_levels = true_everywhere(levels);
  paths.uses_levels = paths.has_levels;
}

}  // namespace casvit::launch
