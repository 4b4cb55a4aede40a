#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "trainer/model/state.h"

namespace casvit::trainer {

/// Weight and bias of a convolution `[O, I / groups, K, K]` or linear layer `[O, I]`, float64.
struct LayerWeights {
  at::Tensor weight;
  at::Tensor bias;  ///< `[O]`; undefined: none
};

/// Batch norm with running statistics: x * scale + shift, both `[C]`, float64.
struct ChannelScale {
  at::Tensor scale;
  at::Tensor shift;
};

/// The layer's tensors PREFIX.weight and PREFIX.bias.
LayerWeights layer_weights(const ModelState& state, const std::string& prefix);
/// The batch norm PREFIX: weight, bias, running_mean, running_var.
ChannelScale channel_scale(const ModelState& state, const std::string& prefix);

/// norm(layer(x)) as one layer.
LayerWeights fold_into_layer_before(const LayerWeights& layer, const ChannelScale& norm);
/// layer(norm(x)) as one layer. Only for layers that see one place at a time (linear, 1 x 1
/// without padding): zeros around a picture would not have gone through the norm.
LayerWeights fold_into_layer_after(const ChannelScale& norm, const LayerWeights& layer);

}  // namespace casvit::trainer
