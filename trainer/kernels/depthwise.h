#pragma once

#include <ATen/core/Tensor.h>

namespace casvit::trainer::kernels {

/// Depthwise 3 x 3 convolution, stride 1, padding 1, differentiable. Fast path only.
/// @param weight `[C, 1, 3, 3]`; @param bias `[C]`
at::Tensor depthwise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace casvit::trainer::kernels
