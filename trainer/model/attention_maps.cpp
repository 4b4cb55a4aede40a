#include "trainer/model/attention_maps.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace casvit::trainer {
namespace {

at::Tensor selected_response(const GateValues& gate) {
  const at::Tensor total = gate.channel.sum(1, /*keepdim=*/true);
  return (gate.channel * gate.focused.abs()).sum(1, /*keepdim=*/true).div(total).squeeze(1);
}

}  // namespace

at::Tensor grad_cam(const Rcvit::Observation& seen, const at::Tensor& classes) {
  const at::Tensor gradient = [&] {
    const at::AutoGradMode with_gradients(true);
    // In evaluation no picture's logit depends on another picture: one sum gives all gradients.
    const at::Tensor score = seen.logits.gather(1, classes.view({-1, 1})).sum();
    return torch::autograd::grad({score}, {seen.last_stage}, {}, /*retain_graph=*/true).front();
  }();
  const at::NoGradGuard no_grad;
  const at::Tensor alpha = gradient.mean({2, 3}, /*keepdim=*/true);
  return at::relu((alpha * seen.last_stage).sum(1));
}

at::Tensor spatial_gate_map(const AttentionGates& gates) {
  return (gates.query.spatial + gates.key.spatial).div(2).squeeze(1);
}

at::Tensor selected_response_map(const AttentionGates& gates) {
  return (selected_response(gates.query) + selected_response(gates.key)).div(2);
}

}  // namespace casvit::trainer
