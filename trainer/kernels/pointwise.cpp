#include "trainer/kernels/pointwise.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "trainer/kernels/fast_path.h"
#include "trainer/kernels/loops.h"

namespace casvit::trainer::kernels {
namespace {

struct Pointwise : torch::autograd::Function<Pointwise> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
    context->save_for_backward({x, weight});
    context->saved_data["bias"] = bias.has_value();
    const at::Tensor w = weight.view({weight.size(0), weight.size(1)}).t();
    const at::Tensor rows = as_matrix(x);
    return as_image(bias ? at::addmm(*bias, rows, w) : at::mm(rows, w), x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor gy = as_matrix(gradients[0]);
    at::Tensor gx;
    if (context->needs_input_grad(0)) {
      gx = as_image(at::mm(gy, weight.view({weight.size(0), weight.size(1)})), x);
    }
    const at::Tensor gw = at::mm(gy.t(), as_matrix(x)).view_as(weight);
    at::Tensor gb;
    if (context->saved_data["bias"].toBool()) {
      gb = at::zeros({weight.size(0)}, gy.options());
      loops().add_column_sums(gy.const_data_ptr<float>(), gb.mutable_data_ptr<float>(), gy.size(0),
                              gy.size(1));
    }
    return {gx, gw, gb};
  }
};

}  // namespace

at::Tensor pointwise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return Pointwise::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

}  // namespace casvit::trainer::kernels
