#include "trainer/kernels/activation.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/kernels/fast_path.h"
#include "trainer/kernels/loops.h"

namespace casvit::trainer::kernels {
namespace {

constexpr std::int64_t kGrain = 1 << 15;

struct Gelu : torch::autograd::Function<Gelu> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    context->save_for_backward({x});
    at::Tensor y = at::empty_like(x);
    const auto* in = x.const_data_ptr<float>();
    auto* out = y.mutable_data_ptr<float>();
    at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      loops().gelu_forward(in + begin, out + begin, end - begin);
    });
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::Tensor x = context->get_saved_variables()[0];
    const at::Tensor gy = gradients[0].contiguous(x.suggest_memory_format());
    at::Tensor gx = at::empty_like(x);
    const auto* in = x.const_data_ptr<float>();
    const auto* g = gy.const_data_ptr<float>();
    auto* out = gx.mutable_data_ptr<float>();
    at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      loops().gelu_backward(in + begin, g + begin, out + begin, end - begin);
    });
    return {gx};
  }
};

}  // namespace

at::Tensor gelu(const at::Tensor& x) { return on_fast_path(x) ? Gelu::apply(x) : at::gelu(x); }

}  // namespace casvit::trainer::kernels
