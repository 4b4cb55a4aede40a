#pragma once

#include <ATen/core/Tensor.h>

#include "launch/communicator.h"
#include "trainer/model/state.h"

namespace casvit::trainer {

/// What the shards of a step add up, in one flat float32 tensor: the gradients, the batch norms'
/// statistics and the loss. Summed over this rank's shards in place, then over ranks.
class GradientSum {
 public:
  explicit GradientSum(const ModelState& state);

  const at::Tensor& gradients() const { return gradients_; }    ///< as `ModelState::parameters()`
  const at::Tensor& statistics() const { return statistics_; }  ///< as `ModelState::buffers()`

  void clear();
  /// Adds one shard's loss.
  void add_loss(const at::Tensor& loss);
  /// Sums over all ranks. @returns seconds spent waiting for it.
  double all_reduce(launch::Communicator& communicator);
  /// The sum of the losses. Waits for the device.
  float loss_sum() const;

 private:
  at::Tensor sums_, gradients_, statistics_, loss_;
  at::Tensor host_;  ///< GPU only: the host copy that the ranks exchange
};

}  // namespace casvit::trainer
