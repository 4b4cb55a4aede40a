#pragma once

#include <atomic>
#include <memory>

#include "launch/mpi/layout.h"
#include "launch/mpi/pieces.h"
#include "launch/node/window.h"

namespace casvit::launch {

/// The ways that collectives can take between ranks. Made by the thread that owns MPI, and then
/// fixed but for the choice between those that are there.
struct Paths {
  PieceContext all;     ///< messages between all ranks
  PieceContext across;  ///< messages between the ranks of this place on every node
  std::unique_ptr<NodeWindow> window;
  /// Nodes have equally many ranks, more than one, that follow one another and share memory.
  bool has_levels = false;
  std::atomic<bool> uses_levels{false};

  /// Through the window alone: all ranks are on this node.
  bool one_node() const { return window->usable() && window->local_size() == all.size; }
  /// Through the window, and between nodes what is left.
  bool two_levels() const { return has_levels && uses_levels; }
};

/// Collective over all ranks. @param node the ranks that share this one's memory
/// @param layout that was found of them
void make_paths(Paths& paths, MPI_Comm node, const Layout& layout);

}  // namespace casvit::launch
