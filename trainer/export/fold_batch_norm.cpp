#include "trainer/export/fold_batch_norm.h"

#include <ATen/ATen.h>

#include <vector>

#include "trainer/kernels/batch_norm.h"

namespace casvit::trainer {
namespace {

at::Tensor float64(const ModelState& state, const std::string& name) {
  return state.entry(name).tensor.detach().to(at::kCPU, at::kDouble).contiguous();
}

}  // namespace

LayerWeights layer_weights(const ModelState& state, const std::string& prefix) {
  LayerWeights layer{float64(state, prefix + ".weight"), {}};
  if (state.find(prefix + ".bias") != nullptr) {
    layer.bias = float64(state, prefix + ".bias");
  }
  return layer;
}

ChannelScale channel_scale(const ModelState& state, const std::string& prefix) {
  const at::Tensor deviation =
      (float64(state, prefix + ".running_var") + kernels::kBatchNormEpsilon).sqrt();
  const at::Tensor scale = float64(state, prefix + ".weight") / deviation;
  return {scale,
          float64(state, prefix + ".bias") - float64(state, prefix + ".running_mean") * scale};
}

LayerWeights fold_into_layer_before(const LayerWeights& layer, const ChannelScale& norm) {
  std::vector<std::int64_t> over_outputs(static_cast<std::size_t>(layer.weight.dim()), 1);
  over_outputs[0] = -1;
  const at::Tensor bias = layer.bias.defined() ? layer.bias * norm.scale + norm.shift : norm.shift;
  return {layer.weight * norm.scale.view(over_outputs), bias};
}

LayerWeights fold_into_layer_after(const ChannelScale& norm, const LayerWeights& layer) {
  const at::Tensor matrix = layer.weight.flatten(1);  // [O, I]
  const at::Tensor shift = matrix.mv(norm.shift);
  return {(matrix * norm.scale).view(layer.weight.sizes()),
          layer.bias.defined() ? layer.bias + shift : shift};
}

}  // namespace casvit::trainer
