#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/model/state.h"

namespace casvit::trainer {

/// Global L2 norm of the gradients: per parameter in float64, then over parameters in the official
/// order, so that neither buckets nor sharding change it.
/// @param gradients flat, laid out as `state.parameters()`
double global_gradient_norm(const ModelState& state, const at::Tensor& gradients);

/// Scales `gradients` so that their norm is at most `max_norm`, as torch.nn.utils.clip_grad_norm_
/// does. @param norm their norm now
void clip_by_norm(at::Tensor gradients, double norm, double max_norm);

}  // namespace casvit::trainer
