#pragma once

#include <ATen/core/Tensor.h>

namespace casvit::trainer::kernels {

/// Exact GELU, x * Phi(x) (Hendrycks and Gimpel, arXiv:1606.08415), of any shape, differentiable.
at::Tensor gelu(const at::Tensor& x);

}  // namespace casvit::trainer::kernels
