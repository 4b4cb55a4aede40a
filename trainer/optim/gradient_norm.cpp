#include "trainer/optim/gradient_norm.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <vector>

namespace casvit::trainer {

double global_gradient_norm(const ModelState& state, const at::Tensor& gradients) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> parts;
  for (const ModelState::Entry& entry : state.entries()) {
    if (entry.is_parameter()) {
      parts.push_back(gradients.narrow(0, entry.offset, entry.tensor.numel()));
    }
  }
  const at::Tensor norms = at::stack(at::_foreach_norm(parts, 2, at::kDouble)).cpu();
  const auto* values = norms.const_data_ptr<double>();
  double sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    sum += values[i] * values[i];
  }
  return std::sqrt(sum);
}

void clip_by_norm(at::Tensor gradients, double norm, double max_norm) {
  const at::NoGradGuard no_grad;
  const double factor = max_norm / (norm + 1e-6);
  if (factor < 1.0) {
    gradients.mul_(factor);
  }
}

}  // namespace casvit::trainer
