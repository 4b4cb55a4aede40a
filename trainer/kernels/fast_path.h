#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/kernels/loops.h"

namespace casvit::trainer::kernels {

/// Whether our own kernels apply: float32 on the CPU, channels-last where four-dimensional, outside
/// autocast. Everything else goes to LibTorch's operators.
bool on_fast_path(const at::Tensor& x);

/// `[N, C, H, W]` channels-last as the matrix `[N H W, C]` that it is in memory.
at::Tensor as_matrix(const at::Tensor& x);
/// The inverse: a matrix `[N H W, C]` as `[N, C, H, W]` with the extents of `like`.
at::Tensor as_image(const at::Tensor& matrix, const at::Tensor& like);

/// `[N, C, H, W]`'s extents.
ImageExtents extents_of(const at::Tensor& x);

}  // namespace casvit::trainer::kernels
