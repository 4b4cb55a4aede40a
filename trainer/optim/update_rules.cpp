#include "trainer/optim/update_rules.h"

#include <ATen/ATen.h>

namespace casvit::trainer {
namespace {

void adamw(const OptimizerOptions& options, UpdatedTensors& tensors, const UpdateStep& step) {
  const at::Tensor count = at::full({}, static_cast<double>(step.update),
                                    tensors.gradients.front().options().dtype(at::kFloat));
  const std::vector<at::Tensor> counts(tensors.parameters.size(), count);
  at::_fused_adamw_(tensors.parameters, tensors.gradients, tensors.moments[0], tensors.moments[1],
                    {}, counts, step.learning_rate, options.betas[0], options.betas[1],
                    step.weight_decay, options.eps, /*amsgrad=*/false, /*maximize=*/false);
}

/// The first step is no special case: a momentum of zero makes it torch.optim.SGD's.
void sgd(const OptimizerOptions& options, UpdatedTensors& tensors, const UpdateStep& step) {
  const bool has_momentum = options.momentum > 0;
  at::_fused_sgd_(tensors.parameters, tensors.gradients,
                  has_momentum ? tensors.moments[0] : std::vector<at::Tensor>(), step.weight_decay,
                  options.momentum, step.learning_rate, /*dampening=*/0,
                  options.nesterov && has_momentum, /*maximize=*/false,
                  /*is_first_step=*/false);
}

void lion(const OptimizerOptions& options, UpdatedTensors& tensors, const UpdateStep& step) {
  for (std::size_t i = 0; i < tensors.parameters.size(); ++i) {
    at::Tensor& parameter = tensors.parameters[i];
    at::Tensor& average = tensors.moments[0][i];
    const at::Tensor& gradient = tensors.gradients[i];
    parameter.mul_(1 - step.learning_rate * step.weight_decay);
    const at::Tensor direction =
        average.mul(options.betas[0]).add_(gradient, 1 - options.betas[0]).sign_();
    parameter.add_(direction, -step.learning_rate);
    average.lerp_(gradient, 1 - options.betas[1]);
  }
}

}  // namespace

std::vector<std::string_view> moment_names(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kAdamW:
      return {"exp_avg", "exp_avg_sq"};
    case OptimizerKind::kSgd:
      return {"momentum_buffer"};
    case OptimizerKind::kLion:
      return {"exp_avg"};
  }
  return {};
}

void apply_update(const OptimizerOptions& options, UpdatedTensors& tensors,
                  const UpdateStep& step) {
  switch (options.kind) {
    case OptimizerKind::kAdamW:
      return adamw(options, tensors, step);
    case OptimizerKind::kSgd:
      return sgd(options, tensors, step);
    case OptimizerKind::kLion:
      return lion(options, tensors, step);
  }
}

}  // namespace casvit::trainer
