#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/model/state.h"
#include "trainer/parallel/partition.h"

namespace casvit::trainer {

struct ClipOptions {
  double norm = 0;   ///< largest global L2 norm; 0: off
  double value = 0;  ///< largest absolute value of an element; 0: off
  double agc = 0;    ///< adaptive: largest unit-wise norm over that of the weights; 0: off
};

/// By how much to scale gradients of this norm so that it is at most `max_norm`, as
/// torch.nn.utils.clip_grad_norm_ does; 1 where nothing is to be done. @param max_norm 0: no limit
double clip_factor(double norm, double max_norm);

/// Adaptive gradient clipping (Brock et al., "High-Performance Large-Scale Image Recognition
/// Without Normalization", arXiv:2102.06171, eq. 3), as timm's adaptive_clip_grad: the gradient of
/// each unit (row of a weight; a whole one-dimensional parameter) has at most `factor` times the
/// norm of the unit itself. The heads are left out. Of this rank's parameters.
/// @param gradients flat, laid out as `state.parameters()`, means over the batch; changed in place
void clip_adaptively(const ModelState& state, const Partition& partition,
                     const at::Tensor& gradients, double factor);

}  // namespace casvit::trainer
