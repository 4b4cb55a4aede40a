#include "trainer/optim/gradient_norm.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace casvit::trainer {

double global_gradient_norm(const ModelState& state, const Partition& partition,
                            const at::Tensor& gradients, launch::Communicator& communicator) {
  const at::NoGradGuard no_grad;
  const std::vector<const ModelState::Entry*> entries = state.parameter_entries();
  std::vector<at::Tensor> mine;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (partition.owns(i)) {
      mine.push_back(gradients.narrow(0, entries[i]->offset, entries[i]->tensor.numel()));
      indices.push_back(i);
    }
  }
  std::vector<double> norms(entries.size(), 0.0);
  if (!mine.empty()) {
    const at::Tensor found = at::stack(at::_foreach_norm(mine, 2, at::kDouble)).cpu();
    const auto* values = found.const_data_ptr<double>();
    for (std::size_t i = 0; i < indices.size(); ++i) {
      norms[indices[i]] = values[i];
    }
  }
  if (partition.is_sharded()) {
    // Each norm has one owner and is zero elsewhere: this sum is exact.
    communicator
        .all_reduce(norms.data(), norms.size(), launch::ElementType::kFloat64,
                    launch::ReduceOp::kSum)
        .wait();
  }
  double sum = 0;
  for (const double norm : norms) {
    sum += norm * norm;
  }
  return std::sqrt(sum);
}

double clip_factor(double norm, double max_norm) {
  return max_norm > 0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1.0;
}

}  // namespace casvit::trainer
