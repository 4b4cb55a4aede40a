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

}  // namespace casvit::trainer
