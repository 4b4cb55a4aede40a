#pragma once

#include <ATen/core/Tensor.h>

namespace casvit::trainer::kernels {

/// A 1 x 1 convolution as one matrix product over channels-last memory, differentiable. Fast path
/// only. @param weight `[out, in, 1, 1]`; @param bias `[out]` or undefined.
at::Tensor pointwise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace casvit::trainer::kernels
