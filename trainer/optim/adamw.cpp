#include "trainer/optim/adamw.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <vector>

namespace casvit::trainer {

AdamW::AdamW(ModelState& state, const AdamWOptions& options)
    : state_(state),
      options_(options),
      first_moment_(at::zeros_like(state.parameters())),
      second_moment_(at::zeros_like(state.parameters())) {}

void AdamW::step(const at::Tensor& gradients, double learning_rate, std::int64_t update) {
  const at::NoGradGuard no_grad;
  const auto update_part = [&](std::int64_t begin, std::int64_t end, double weight_decay) {
    if (begin == end) {
      return;
    }
    const auto part = [&](const at::Tensor& flat) { return flat.narrow(0, begin, end - begin); };
    at::Tensor parameters = part(state_.parameters());
    at::Tensor first = part(first_moment_);
    at::Tensor second = part(second_moment_);
    const at::Tensor step =
        at::full({}, static_cast<double>(update), parameters.options().dtype(at::kFloat));
    at::_fused_adamw_({parameters}, {part(gradients)}, {first}, {second}, {}, {step}, learning_rate,
                      options_.betas[0], options_.betas[1], weight_decay, options_.eps,
                      /*amsgrad=*/false, /*maximize=*/false);
  };
  update_part(0, state_.decayed_size(), options_.weight_decay);
  update_part(state_.decayed_size(), state_.parameters().numel(), 0.0);
}

}  // namespace casvit::trainer
