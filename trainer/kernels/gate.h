#pragma once

#include <ATen/core/Tensor.h>

namespace casvit::trainer::kernels {

/// The spatial, then the channel gate of the additive attention, differentiable:
/// f = x * sigmoid(spatial_weight . relu(z)) at each pixel, then f * sigmoid(channel_weight
/// mean(f)).
/// @param x, z `[N, C, H, W]`; @param spatial_weight `[1, C, 1, 1]`; @param channel_weight `[C, C,
/// 1, 1]`
at::Tensor gate(const at::Tensor& x, const at::Tensor& z, const at::Tensor& spatial_weight,
                const at::Tensor& channel_weight);

}  // namespace casvit::trainer::kernels
