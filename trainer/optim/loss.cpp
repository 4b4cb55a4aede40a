#include "trainer/optim/loss.h"

#include <ATen/ATen.h>

#include <numeric>

namespace casvit::trainer {

at::Tensor soft_target_cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                                     const at::Tensor& class_weights) {
  const at::ScalarType type = logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  at::Tensor losses = at::log_softmax(logits.to(type), 1) * targets;
  if (class_weights.defined()) {
    losses = losses * class_weights;
  }
  return -losses.sum(1).mean();
}

std::vector<float> balanced_class_weights(const std::vector<std::uint64_t>& class_counts) {
  const auto samples = static_cast<double>(
      std::accumulate(class_counts.begin(), class_counts.end(), std::uint64_t{0}));
  std::vector<float> weights;
  weights.reserve(class_counts.size());
  for (const std::uint64_t count : class_counts) {
    const double expected = samples / static_cast<double>(class_counts.size());
    weights.push_back(count == 0 ? 0.0F
                                 : static_cast<float>(expected / static_cast<double>(count)));
  }
  return weights;
}

}  // namespace casvit::trainer
