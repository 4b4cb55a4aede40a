#include "trainer/optim/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>

namespace casvit::trainer {

Optimizer::Optimizer(ModelState& state, const OptimizerOptions& options,
                     std::vector<ParameterRule> rules)
    : state_(state), options_(options), rules_(std::move(rules)) {
  if (rules_.empty()) {
    rules_.resize(state.parameter_entries().size());
  }
  std::vector<at::Tensor> zeros;
  for (const std::string_view name : moment_names(options.kind)) {
    moments_.push_back({std::string(name), {}});
    zeros.push_back(at::zeros_like(state.parameters()));
  }
  adopt(Partition::unsharded(state), zeros);
}

Optimizer::Group& Optimizer::group_of(const ModelState::Entry& entry, const ParameterRule& rule) {
  const bool decayed = entry.role == TensorRole::kDecayed;
  const auto found = std::ranges::find_if(groups_, [&](const Group& group) {
    return group.decayed == decayed && group.learning_rate_scale == rule.learning_rate_scale;
  });
  if (found != groups_.end()) {
    return *found;
  }
  Group& group = groups_.emplace_back();
  group.decayed = decayed;
  group.learning_rate_scale = rule.learning_rate_scale;
  group.tensors.moments.resize(moments_.size());
  return group;
}

void Optimizer::adopt(const Partition& partition, const std::vector<at::Tensor>& values) {
  for (std::size_t m = 0; m < moments_.size(); ++m) {
    moments_[m].own = values[m];
  }
  groups_.clear();
  const std::vector<const ModelState::Entry*> entries = state_.parameter_entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (rules_[i].frozen || !partition.owns(i)) {
      continue;
    }
    const ModelState::Entry& entry = *entries[i];
    Group& group = group_of(entry, rules_[i]);
    const std::int64_t elements = entry.tensor.numel();
    group.entries.push_back(&entry);
    group.tensors.parameters.push_back(state_.parameters().narrow(0, entry.offset, elements));
    for (std::size_t m = 0; m < moments_.size(); ++m) {
      group.tensors.moments[m].push_back(partition.own_view(moments_[m].own, i, elements));
    }
  }
}

void Optimizer::step(const at::Tensor& gradients, const UpdateRates& rates, std::int64_t update) {
  const at::NoGradGuard no_grad;
  for (Group& group : groups_) {
    group.tensors.gradients.clear();
    for (const ModelState::Entry* entry : group.entries) {
      group.tensors.gradients.push_back(gradients.narrow(0, entry->offset, entry->tensor.numel()));
    }
    apply_update(options_, group.tensors,
                 {.learning_rate = rates.learning_rate * group.learning_rate_scale,
                  .weight_decay = group.decayed ? rates.weight_decay : 0,
                  .update = update});
  }
}

}  // namespace casvit::trainer
