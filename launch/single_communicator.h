#pragma once

#include "launch/communicator.h"

namespace casvit::launch {

/// The collectives of a world of one: the same contract, with nobody to talk to. Everything is
/// complete when the call returns.
class SingleCommunicator final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  Completion all_reduce(void* buffer, std::size_t count, ElementType type, ReduceOp op) override;
  Completion reduce_scatter(const void* input, void* output, std::size_t count, ElementType type,
                            ReduceOp op) override;
  Completion all_gather(const void* input, void* output, std::size_t count,
                        ElementType type) override;
  Completion broadcast(void* buffer, std::size_t count, ElementType type, int root) override;
  void barrier() override {}
};

}  // namespace casvit::launch
