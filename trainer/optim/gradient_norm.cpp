#include "trainer/optim/gradient_norm.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <vector>

namespace casvit::trainer {

double global_gradient_norm(const ModelState& state, const Partition& partition,
                            const at::Tensor& gradients, launch::Communicator& communicator) {
  const at::NoGradGuard no_grad;
  const std::vector<const ModelState::Entry*> entries = state.parameter_entries();
  std::vector<at::Tensor> mine;
  std::vector<std::int64_t> indices;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (partition.owns(i)) {
      mine.push_back(gradients.narrow(0, entries[i]->offset, entries[i]->tensor.numel()));
      indices.push_back(static_cast<std::int64_t>(i));
    }
  }
  at::Tensor norms = at::zeros({static_cast<std::int64_t>(entries.size())}, at::kDouble);
  if (!mine.empty()) {
    const at::Tensor found = at::stack(at::_foreach_norm(mine, 2, at::kDouble)).cpu();
    norms.index_copy_(0, at::tensor(indices), found);
  }
  if (partition.is_sharded()) {
    // Each norm has one owner and is zero elsewhere: this sum is exact.
    if (communicator.on_device()) {
      norms = norms.to(gradients.device());
    }
    communicator.announce("gradient norms");
    communicator
        .all_reduce(norms.mutable_data_ptr(), entries.size(), launch::ElementType::kFloat64,
                    launch::ReduceOp::kSum)
        .wait();
    communicator.synchronize();
    norms = norms.cpu();
  }
  double sum = 0;
  const auto* values = norms.const_data_ptr<double>();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    sum += values[i] * values[i];
  }
  return std::sqrt(sum);
}

}  // namespace casvit::trainer
