#pragma once

#include <cstddef>
#include <string>

#include "launch/communicator.h"
#include "launch/operation.h"

namespace casvit::launch {

class MpiThread;

/// Collectives on host memory over MPI. Operations are cut into pieces and carried out, sums
/// included, by the thread that owns MPI while the caller goes on. What is issued through all
/// communicators of a world counts as one sequence: every rank issues it in the same order.
///
/// Pieces go through memory that the ranks of a node share (node/window.h); between nodes they are
/// messages, either of the ranks of one place on every node (the note "Two levels" in
/// node/pieces.h) or of all ranks. Any way:
///
/// Sums: each rank owns a segment of a piece, receives everyone's contribution to it and adds them
/// in the order of the operation, then all ranks gather the segments (Rabenseifner's reduce-scatter
/// and all-gather, with direct exchange in place of halving because that would fix no order of
/// summation).
class MpiCommunicator final : public Communicator {
 public:
  /// @param thread outlives this.
  /// @param piece_bytes largest message and scratch memory of a piece, 1 byte to 1 GiB, or what of
  /// it fits the shared memory. It must be the same on every rank, and cannot change a result.
  MpiCommunicator(MpiThread& thread, std::size_t piece_bytes);

  int rank() const override;
  int size() const override;
  Completion all_reduce(void* buffer, std::size_t count, ElementType type, ReduceOp op) override;
  Completion reduce_scatter(const void* input, void* output, std::size_t count, ElementType type,
                            ReduceOp op) override;
  Completion all_gather(const void* input, void* output, std::size_t count,
                        ElementType type) override;
  Completion broadcast(void* buffer, std::size_t count, ElementType type, int root) override;
  void barrier() override;

 private:
  struct Way;
  Way choose_way();
  Completion submit(std::string description, std::size_t piece_count,
                    Operation::MakePiece make_piece);

  MpiThread& thread_;
  const std::size_t piece_bytes_;
};

}  // namespace casvit::launch
