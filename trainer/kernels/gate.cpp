#include "trainer/kernels/gate.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/kernels/fast_path.h"
#include "trainer/kernels/loops.h"

namespace casvit::trainer::kernels {
namespace {

struct Gate : torch::autograd::Function<Gate> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& z, const at::Tensor& spatial_weight,
                            const at::Tensor& channel_weight) {
    const ImageExtents extents = extents_of(x);
    const auto options = at::TensorOptions().dtype(at::kFloat);
    const at::Tensor mask = at::empty({extents.images, extents.pixels()}, options);
    const at::Tensor pooled = at::empty({extents.images, extents.channels}, options);
    at::parallel_for(0, extents.images, 1, [&](std::int64_t first, std::int64_t last) {
      loops().gate_pool(extents, x.const_data_ptr<float>(), z.const_data_ptr<float>(),
                        spatial_weight.const_data_ptr<float>(), mask.mutable_data_ptr<float>(),
                        pooled.mutable_data_ptr<float>(), first, last);
    });
    const at::Tensor matrix = channel_weight.view({extents.channels, extents.channels});
    const at::Tensor channel = at::sigmoid(at::mm(pooled, matrix.t()));
    at::Tensor y = at::empty_like(x);
    at::parallel_for(0, extents.images, 1, [&](std::int64_t first, std::int64_t last) {
      loops().gate_apply(extents, x.const_data_ptr<float>(), mask.const_data_ptr<float>(),
                         channel.const_data_ptr<float>(), y.mutable_data_ptr<float>(), first, last);
    });
    context->save_for_backward({x, z, spatial_weight, channel_weight, mask, pooled, channel});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& z = saved[1];
    const at::Tensor& spatial_weight = saved[2];
    const at::Tensor& channel_weight = saved[3];
    const at::Tensor& mask = saved[4];
    const at::Tensor& pooled = saved[5];
    const at::Tensor& channel = saved[6];
    const ImageExtents extents = extents_of(x);
    const at::Tensor gy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);

    const at::Tensor channel_gradient = at::empty_like(channel);
    at::parallel_for(0, extents.images, 1, [&](std::int64_t first, std::int64_t last) {
      loops().gate_channel_gradient(extents, x.const_data_ptr<float>(),
                                    mask.const_data_ptr<float>(), gy.const_data_ptr<float>(),
                                    channel_gradient.mutable_data_ptr<float>(), first, last);
    });
    const at::Tensor matrix = channel_weight.view({extents.channels, extents.channels});
    const at::Tensor logit_gradient = channel_gradient * channel * (1 - channel);
    const at::Tensor matrix_gradient = at::mm(logit_gradient.t(), pooled);
    const at::Tensor pooled_gradient =
        at::mm(logit_gradient, matrix).div_(static_cast<double>(extents.pixels()));

    at::Tensor gx = at::empty_like(x);
    at::Tensor gz = at::empty_like(z);
    // One row an image, summed afterwards: the same sum for any number of threads.
    const at::Tensor weight_gradient =
        at::zeros({extents.images, extents.channels}, channel.options());
    at::parallel_for(0, extents.images, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t n = first; n < last; ++n) {
        loops().gate_backward(
            extents, x.const_data_ptr<float>(), z.const_data_ptr<float>(),
            spatial_weight.const_data_ptr<float>(), mask.const_data_ptr<float>(),
            channel.const_data_ptr<float>(), pooled_gradient.const_data_ptr<float>(),
            gy.const_data_ptr<float>(), gx.mutable_data_ptr<float>(), gz.mutable_data_ptr<float>(),
            weight_gradient.mutable_data_ptr<float>() + n * extents.channels, n, n + 1);
      }
    });
    return {gx, gz, weight_gradient.sum(0).view_as(spatial_weight),
            matrix_gradient.view_as(channel_weight)};
  }
};

}  // namespace

at::Tensor gate(const at::Tensor& x, const at::Tensor& z, const at::Tensor& spatial_weight,
                const at::Tensor& channel_weight) {
  if (on_fast_path(x) && on_fast_path(z)) {
    return Gate::apply(x, z, spatial_weight, channel_weight);
  }
  const at::Tensor focused = x * at::sigmoid(at::conv2d(at::relu(z), spatial_weight));
  const at::Tensor pooled = focused.mean({2, 3}, /*keepdim=*/true);
  return focused * at::sigmoid(at::conv2d(pooled, channel_weight));
}

}  // namespace casvit::trainer::kernels
