#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "launch/element.h"
#include "launch/mpi/check.h"
#include "launch/mpi/scratch_pool.h"
#include "launch/operation.h"

namespace casvit::launch {

/// What pieces need to know of the ranks that exchange messages: all of them, or those of the same
/// place on every node.
struct PieceContext {
  MPI_Comm communicator = MPI_COMM_NULL;
  int rank = 0;
  int size = 1;
  /// Their ranks among all; empty: they are all.
  std::vector<int> world_ranks;
  ScratchPool scratch;

  int world_rank(int peer) const {
    return world_ranks.empty() ? peer : world_ranks[static_cast<std::size_t>(peer)];
  }
};

/// In place, `count` elements: each rank sums one segment, in the order of `op`, then all gather
/// them. Scratch: one piece's bytes.
std::unique_ptr<Piece> make_all_reduce_piece(PieceContext& context, std::size_t sequence,
                                             std::byte* data, std::size_t count, ElementType type,
                                             ReduceOp op);

/// This rank's `count` elements at `output`, from `input + p * stride_bytes` for each rank p.
/// Scratch: size times `count` elements.
std::unique_ptr<Piece> make_reduce_scatter_piece(PieceContext& context, std::size_t sequence,
                                                 const std::byte* input, std::size_t stride_bytes,
                                                 std::byte* output, std::size_t count,
                                                 ElementType type, ReduceOp op);

/// `bytes` from each rank p, into `output + p * stride_bytes`.
std::unique_ptr<Piece> make_all_gather_piece(PieceContext& context, std::size_t sequence,
                                             const std::byte* input, std::byte* output,
                                             std::size_t stride_bytes, std::size_t bytes);

/// The root deals one segment to each rank, then all gather them: no rank sends more than about
/// twice the data, however many ranks there are.
std::unique_ptr<Piece> make_broadcast_piece(PieceContext& context, std::size_t sequence,
                                            std::byte* data, std::size_t bytes, int root);

std::unique_ptr<Piece> make_barrier_piece(PieceContext& context);

}  // namespace casvit::launch
