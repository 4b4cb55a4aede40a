#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace casvit::trainer {

/// Cross entropy against soft targets, mean over the samples, in float32 or wider. Equals
/// torch.nn.functional.cross_entropy with probabilities as target.
/// @param logits `[N, C]`; @param targets `[N, C]`; @param class_weights `[C]` or undefined
at::Tensor soft_target_cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                                     const at::Tensor& class_weights);

/// "balanced" weights as scikit-learn computes them: samples / (classes * samples of the class).
std::vector<float> balanced_class_weights(const std::vector<std::uint64_t>& class_counts);

}  // namespace casvit::trainer
