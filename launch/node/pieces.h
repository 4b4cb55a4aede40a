#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "launch/element.h"
#include "launch/node/window.h"
#include "launch/operation.h"

namespace casvit::launch {

/// Pieces of collectives among the ranks of a node, through the memory that they share. Local ranks
/// take the place of ranks. `signature` says what the piece is, alike on all of them.

/// What every such piece knows.
struct WindowPiece {
  NodeWindow& window;
  std::size_t sequence;
  std::uint64_t signature;
};

/// In place, `count` elements, at most a slot's bytes: each rank sums one segment, in the order of
/// `op`, then all take the others' from their slots.
std::unique_ptr<Piece> make_window_all_reduce(const WindowPiece& piece, std::byte* data,
                                              std::size_t count, ElementType type, ReduceOp op);

/// This rank's `count` elements at `output`, from `input + p * stride_bytes` for each local rank p;
/// those of all ranks are at most `window_part_bytes` each.
std::unique_ptr<Piece> make_window_reduce_scatter(const WindowPiece& piece, const std::byte* input,
                                                  std::size_t stride_bytes, std::byte* output,
                                                  std::size_t count, ElementType type, ReduceOp op);

/// `bytes` from each local rank p, at most a slot's, into `output + p * stride_bytes`.
std::unique_ptr<Piece> make_window_all_gather(const WindowPiece& piece, const std::byte* input,
                                              std::byte* output, std::size_t stride_bytes,
                                              std::size_t bytes);

/// Everybody takes `bytes`, at most a slot's, from the root's.
/// @param root a local rank
std::unique_ptr<Piece> make_window_broadcast(const WindowPiece& piece, std::byte* data,
                                             std::size_t bytes, int root);

std::unique_ptr<Piece> make_window_barrier(const WindowPiece& piece);

/// How much of a slot each rank's part may take where it holds one for every rank.
std::size_t window_part_bytes(const NodeWindow& window);

}  // namespace casvit::launch
