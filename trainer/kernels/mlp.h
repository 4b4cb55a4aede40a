#pragma once

#include <ATen/core/Tensor.h>

namespace casvit::trainer::kernels {

/// Two pointwise convolutions with GELU between them, differentiable:
/// `x [N, C, H, W]`, `weight1 [D, C, 1, 1]`, `bias1 [D]`, `weight2 [C2, D, 1, 1]`, `bias2 [C2]`.
/// On the CPU the hidden activations pass through cache in blocks of rows and only their values
/// before GELU are kept.
at::Tensor mlp(const at::Tensor& x, const at::Tensor& weight1, const at::Tensor& bias1,
               const at::Tensor& weight2, const at::Tensor& bias2);

}  // namespace casvit::trainer::kernels
