#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "launch/element.h"
#include "launch/mpi/pieces.h"
#include "launch/node/window.h"
#include "launch/operation.h"

namespace casvit::launch {

/// Note: Two levels.
/// Pieces of collectives that go through the memory which the ranks of a node share. Where there
/// are several nodes, of equally many consecutive ranks, this is the first level: what a node has
/// summed is exchanged among the ranks of the same place on every node (by the pieces of messages,
/// mpi/pieces.h), so that a node sends and receives what one rank would have, and every rank its
/// share of that. Sums are then those of nodes, each in rank order, in node order; a tree sum is
/// the same tree, for a power of two that is cut into equal parts is cut into subtrees. 16-bit
/// floats are exchanged as float32 between nodes, and rounded once.

/// What every such piece knows.
struct WindowPiece {
  NodeWindow& window;
  std::size_t sequence;
  std::uint64_t signature;         ///< says what the piece is, alike on all ranks
  PieceContext* across = nullptr;  ///< the ranks of this place on every node; none: one node

  int nodes() const { return across != nullptr ? across->size : 1; }
};

/// In place, `count` elements, at most a slot's bytes: each rank of a node sums one segment, in the
/// order of `op`, then all take the others' from their slots.
std::unique_ptr<Piece> make_window_all_reduce(const WindowPiece& piece, std::byte* data,
                                              std::size_t count, ElementType type, ReduceOp op);

/// This rank's `count` elements, of at most `window_part_bytes`, at `output`, from
/// `input + p * stride_bytes` for each rank p.
std::unique_ptr<Piece> make_window_reduce_scatter(const WindowPiece& piece, const std::byte* input,
                                                  std::size_t stride_bytes, std::byte* output,
                                                  std::size_t count, ElementType type, ReduceOp op);

/// `bytes` from each rank p into `output + p * stride_bytes`; a slot holds those of a rank of every
/// node.
std::unique_ptr<Piece> make_window_all_gather(const WindowPiece& piece, const std::byte* input,
                                              std::byte* output, std::size_t stride_bytes,
                                              std::size_t bytes);

/// Everybody takes `bytes`, at most a slot's, from the root's; on one node.
std::unique_ptr<Piece> make_window_broadcast(const WindowPiece& piece, std::byte* data,
                                             std::size_t bytes, int root);

/// On one node.
std::unique_ptr<Piece> make_window_barrier(const WindowPiece& piece);

/// How much of a slot each rank's part may take where it holds one for every rank of all nodes.
std::size_t window_part_bytes(const NodeWindow& window, int nodes);

}  // namespace casvit::launch
