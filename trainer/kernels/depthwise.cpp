#include "trainer/kernels/depthwise.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "trainer/kernels/fast_path.h"
#include "trainer/kernels/loops.h"

namespace casvit::trainer::kernels {
namespace {

/// `[C, 1, 3, 3]` as `[3, 3, C]`.
at::Tensor as_taps(const at::Tensor& weight) {
  return weight.squeeze(1).permute({1, 2, 0}).contiguous();
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& taps, const float* bias) {
  at::Tensor y = at::empty_like(x);
  const ImageExtents extents = extents_of(x);
  at::parallel_for(0, extents.images, 1, [&](std::int64_t first, std::int64_t last) {
    loops().depthwise_forward(extents, x.const_data_ptr<float>(), taps.const_data_ptr<float>(),
                              bias, y.mutable_data_ptr<float>(), first, last);
  });
  return y;
}

struct Depthwise : torch::autograd::Function<Depthwise> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const at::Tensor& bias) {
    context->save_for_backward({x, weight});
    return convolve(x, as_taps(weight), bias.const_data_ptr<float>());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor gy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor gx;
    if (context->needs_input_grad(0)) {
      // The gradient of the input is the convolution with the taps turned round.
      gx = convolve(gy, as_taps(weight).flip({0, 1}).contiguous(), nullptr);
    }
    const ImageExtents extents = extents_of(x);
    const at::Tensor taps = at::zeros({3, 3, extents.channels},
                                      x.options().memory_format(at::MemoryFormat::Contiguous));
    const at::Tensor bias = at::zeros({extents.channels}, x.options());
    // Threads share the channels, not the pictures, so that sums do not depend on their number.
    constexpr std::int64_t kStrip = 8;
    at::parallel_for(0, (extents.channels + kStrip - 1) / kStrip, 1,
                     [&](std::int64_t first, std::int64_t last) {
                       loops().depthwise_weight_gradient(
                           extents, x.const_data_ptr<float>(), gy.const_data_ptr<float>(),
                           taps.mutable_data_ptr<float>(), bias.mutable_data_ptr<float>(),
                           first * kStrip, std::min(last * kStrip, extents.channels));
                     });
    return {gx, taps.permute({2, 0, 1}).unsqueeze(1).contiguous(), bias};
  }
};

}  // namespace

at::Tensor depthwise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return Depthwise::apply(x, weight, bias);
}

}  // namespace casvit::trainer::kernels
