#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace casvit::trainer::kernels {

/// 2-d convolution, differentiable. `x` is `[N, C, H, W]` channels-last, `weight` `[out, C / groups,
/// k, k]`, `bias` `[out]` or undefined.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       std::int64_t stride, std::int64_t padding, std::int64_t groups);

}  // namespace casvit::trainer::kernels
