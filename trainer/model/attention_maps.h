#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/model/rcvit.h"

// Maps over a picture of what the network looks at, made from an observed evaluation pass.

namespace casvit::trainer {

/// Grad-CAM on the last stage (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks
/// via Gradient-based Localization", ICCV 2017, eq. 1 and 2): where the picture speaks for a class.
/// relu(sum over channels k of alpha_k A_k), A the stage's output, alpha_k the mean over space of
/// d logit / d A_k.
/// @param classes `[N] int64`, the class to explain of each picture
/// @returns `[N, H / 32, W / 32]`, not below 0. Parameters' gradients are left alone.
at::Tensor grad_cam(const Rcvit::Observation& seen, const at::Tensor& classes);

/// How far the attention is open at each place: the mean of the query's and the key's spatial gate.
/// @returns `[N, H, W]` in (0, 1)
at::Tensor spatial_gate_map(const AttentionGates& gates);

/// How strongly the channels that the channel gates select respond at each place: the mean over
/// query and key of sum_c g_c |f_c| / sum_c g_c, f the focused branch and g its channel gate.
/// @returns `[N, H, W]`, not below 0
at::Tensor selected_response_map(const AttentionGates& gates);

}  // namespace casvit::trainer
