#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace casvit::trainer::kernels {

/// 2-d convolution, differentiable. `x` is `[N, C, H, W]` channels-last, `weight` `[out, C /
/// groups, k, k]`, `bias` `[out]` or undefined.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       std::int64_t stride, std::int64_t padding, std::int64_t groups);

/// A pointwise convolution without bias whose `3 C` outputs are wanted as three tensors of C
/// channels, each contiguous. `weight` is `[3 C, C, 1, 1]`.
std::vector<at::Tensor> pointwise_in_three(const at::Tensor& x, const at::Tensor& weight);

}  // namespace casvit::trainer::kernels
