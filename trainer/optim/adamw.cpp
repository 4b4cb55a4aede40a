#include "trainer/optim/adamw.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace casvit::trainer {

AdamW::AdamW(ModelState& state, const AdamWOptions& options) : state_(state), options_(options) {
  adopt(Partition::unsharded(state), at::zeros_like(state.parameters()),
        at::zeros_like(state.parameters()));
}

void AdamW::adopt(const Partition& partition, const at::Tensor& first, const at::Tensor& second) {
  first_moment_ = first;
  second_moment_ = second;
  groups_ = {};
  groups_[0].weight_decay = options_.weight_decay;
  const std::vector<const ModelState::Entry*> entries = state_.parameter_entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!partition.owns(i)) {
      continue;
    }
    const ModelState::Entry& entry = *entries[i];
    Group& group = groups_[entry.role == TensorRole::kDecayed ? 0 : 1];
    const std::int64_t elements = entry.tensor.numel();
    group.entries.push_back(&entry);
    group.parameters.push_back(state_.parameters().narrow(0, entry.offset, elements));
    group.first_moments.push_back(partition.own_view(first_moment_, i, elements));
    group.second_moments.push_back(partition.own_view(second_moment_, i, elements));
  }
}

void AdamW::step(const at::Tensor& gradients, double learning_rate, std::int64_t update) {
  const at::NoGradGuard no_grad;
  const at::Tensor count =
      at::full({}, static_cast<double>(update), gradients.options().dtype(at::kFloat));
  for (Group& group : groups_) {
    if (group.entries.empty()) {
      continue;
    }
    std::vector<at::Tensor> gradient_parts;
    gradient_parts.reserve(group.entries.size());
    for (const ModelState::Entry* entry : group.entries) {
      gradient_parts.push_back(gradients.narrow(0, entry->offset, entry->tensor.numel()));
    }
    const std::vector<at::Tensor> counts(group.entries.size(), count);
    at::_fused_adamw_(group.parameters, gradient_parts, group.first_moments, group.second_moments,
                      {}, counts, learning_rate, options_.betas[0], options_.betas[1],
                      group.weight_decay, options_.eps, /*amsgrad=*/false, /*maximize=*/false);
  }
}

}  // namespace casvit::trainer
