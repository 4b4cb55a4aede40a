#include "trainer/kernels/mlp.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "trainer/kernels/fast_path.h"
#include "trainer/kernels/loops.h"

namespace casvit::trainer::kernels {
namespace {

constexpr std::int64_t kRowsPerTask = 128;

/// Rows whose hidden activations (twice) stay in a core's share of the last-level cache.
std::int64_t rows_per_block(std::int64_t hidden) {
  return std::max<std::int64_t>(64, (1 << 18) / hidden);
}

at::Tensor as_weight_matrix(const at::Tensor& weight) {
  return weight.view({weight.size(0), weight.size(1)});
}

struct Mlp : torch::autograd::Function<Mlp> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight1, const at::Tensor& bias1,
                            const at::Tensor& weight2, const at::Tensor& bias2) {
    const at::Tensor rows = as_matrix(x);
    const at::Tensor w1 = as_weight_matrix(weight1).t();
    const at::Tensor w2 = as_weight_matrix(weight2).t();
    const std::int64_t hidden = weight1.size(0);
    const std::int64_t block = std::min(rows_per_block(hidden), rows.size(0));
    at::Tensor before = at::empty({rows.size(0), hidden}, rows.options());
    at::Tensor y = at::empty({rows.size(0), weight2.size(0)}, rows.options());
    const at::Tensor activated = at::empty({block, hidden}, rows.options());
    for (std::int64_t begin = 0; begin < rows.size(0); begin += block) {
      const std::int64_t count = std::min(block, rows.size(0) - begin);
      at::Tensor h = before.narrow(0, begin, count);
      at::Tensor a = activated.narrow(0, 0, count);
      at::Tensor out = y.narrow(0, begin, count);
      at::addmm_out(h, bias1, rows.narrow(0, begin, count), w1);
      at::parallel_for(0, count, kRowsPerTask, [&](std::int64_t first, std::int64_t last) {
        loops().gelu_forward(h.const_data_ptr<float>() + first * hidden,
                             a.mutable_data_ptr<float>() + first * hidden, (last - first) * hidden);
      });
      at::addmm_out(out, bias2, a, w2);
    }
    context->save_for_backward({x, weight1, weight2, before});
    return as_image(y, x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor w1 = as_weight_matrix(saved[1]);
    const at::Tensor w2 = as_weight_matrix(saved[2]);
    const at::Tensor& before = saved[3];
    const at::Tensor rows = as_matrix(x);
    const at::Tensor gy = as_matrix(gradients[0]);
    const std::int64_t hidden = w1.size(0);
    const std::int64_t block = std::min(rows_per_block(hidden), rows.size(0));

    at::Tensor gx = at::empty_like(rows);
    at::Tensor gw1 = at::zeros_like(w1);
    at::Tensor gw2 = at::zeros_like(w2);
    at::Tensor gb1 = at::zeros({hidden}, rows.options());
    at::Tensor gb2 = at::zeros({w2.size(0)}, rows.options());
    const at::Tensor activated = at::empty({block, hidden}, rows.options());
    const at::Tensor hidden_gradient = at::empty({block, hidden}, rows.options());
    for (std::int64_t begin = 0; begin < rows.size(0); begin += block) {
      const std::int64_t count = std::min(block, rows.size(0) - begin);
      const at::Tensor out_gradient = gy.narrow(0, begin, count);
      const at::Tensor in = rows.narrow(0, begin, count);
      at::Tensor a = activated.narrow(0, 0, count);
      at::Tensor g = hidden_gradient.narrow(0, 0, count);
      at::Tensor in_gradient = gx.narrow(0, begin, count);
      at::mm_out(g, out_gradient, w2);
      const auto* h = before.const_data_ptr<float>() + begin * hidden;
      at::parallel_for(0, count, kRowsPerTask, [&](std::int64_t first, std::int64_t last) {
        loops().gelu_forward_backward(
            h + first * hidden, a.mutable_data_ptr<float>() + first * hidden,
            g.mutable_data_ptr<float>() + first * hidden, (last - first) * hidden);
      });
      loops().add_column_sums(g.const_data_ptr<float>(), gb1.mutable_data_ptr<float>(), count,
                              hidden);
      loops().add_column_sums(out_gradient.const_data_ptr<float>(), gb2.mutable_data_ptr<float>(),
                              count, w2.size(0));
      gw2.addmm_(out_gradient.t(), a);
      gw1.addmm_(g.t(), in);
      at::mm_out(in_gradient, g, w1);
    }
    return {as_image(gx, x), gw1.view_as(saved[1]), gb1, gw2.view_as(saved[2]), gb2};
  }
};

}  // namespace

at::Tensor mlp(const at::Tensor& x, const at::Tensor& weight1, const at::Tensor& bias1,
               const at::Tensor& weight2, const at::Tensor& bias2) {
  if (on_fast_path(x)) {
    return Mlp::apply(x, weight1, bias1, weight2, bias2);
  }
  return at::conv2d(at::gelu(at::conv2d(x, weight1, bias1)), weight2, bias2);
}

}  // namespace casvit::trainer::kernels
