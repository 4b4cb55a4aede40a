#pragma once

#include <ATen/core/Tensor.h>

namespace casvit::trainer::kernels {

inline constexpr double kBatchNormEpsilon = 1e-5;

/// Batch norm with the batch's own statistics (Ioffe and Szegedy, arXiv:1502.03167),
/// differentiable. `mean_sum` and `variance_sum` (`[C]`) receive, added, the batch mean and
/// unbiased variance.
at::Tensor batch_norm_training(const at::Tensor& x, const at::Tensor& weight,
                               const at::Tensor& bias, at::Tensor mean_sum,
                               at::Tensor variance_sum);

/// Batch norm with running statistics.
at::Tensor batch_norm_inference(const at::Tensor& x, const at::Tensor& weight,
                                const at::Tensor& bias, const at::Tensor& running_mean,
                                const at::Tensor& running_var);

}  // namespace casvit::trainer::kernels
