#pragma once

#include <ATen/core/Tensor.h>

#include "launch/communicator.h"
#include "trainer/model/state.h"
#include "trainer/parallel/partition.h"

namespace casvit::trainer {

/// Global L2 norm of the gradients: per parameter in float64, then over parameters in the official
/// order, so that neither buckets nor sharding change it. Each rank computes those of its own
/// parameters; where they are sharded, one small exchange gives all of them to all.
/// @param gradients flat, laid out as `state.parameters()`
double global_gradient_norm(const ModelState& state, const Partition& partition,
                            const at::Tensor& gradients, launch::Communicator& communicator);

/// By how much to scale gradients of this norm so that it is at most `max_norm`, as
/// torch.nn.utils.clip_grad_norm_ does; 1 where nothing is to be done. @param max_norm 0: no limit
double clip_factor(double norm, double max_norm);

}  // namespace casvit::trainer
