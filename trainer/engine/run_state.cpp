#include "trainer/engine/run_state.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <unordered_map>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

constexpr const char* kScale = "scaler.scale";
constexpr const char* kGoodSteps = "scaler.good_steps";
constexpr const char* kUpdates = "optimizer.step";

/// A parameter's part of a flat tensor, in the parameter's shape.
at::Tensor part_of(const at::Tensor& flat, const ModelState::Entry& entry) {
  return flat.narrow(0, entry.offset, entry.tensor.numel()).view(entry.tensor.sizes());
}

template <typename Visit>
void for_each_tensor(const RunState& state, Visit visit) {
  for (const ModelState::Entry& entry : state.model.state().entries()) {
    visit("model." + entry.name, entry.tensor);
  }
  if (state.average) {
    for (const ModelState::Entry& entry : state.average->state().entries()) {
      visit("ema." + entry.name, entry.tensor);
    }
  }
  for (const ModelState::Entry& entry : state.model.state().entries()) {
    if (entry.is_parameter()) {
      visit("optimizer.exp_avg." + entry.name, part_of(state.optimizer.first_moment(), entry));
      visit("optimizer.exp_avg_sq." + entry.name, part_of(state.optimizer.second_moment(), entry));
    }
  }
}

}  // namespace

RunState::RunState(const RcvitOptions& model_options, const AdamWOptions& optimizer_options,
                   bool with_average, const at::Device& device)
    : model(model_options, at::kFloat, device), optimizer(model.state(), optimizer_options) {
  if (with_average) {
    average.emplace(model_options, at::kFloat, device);
  }
}

std::vector<NamedTensor> checkpoint_tensors(const RunState& state) {
  std::vector<NamedTensor> tensors;
  for_each_tensor(state, [&](const std::string& name, const at::Tensor& tensor) {
    tensors.push_back({name, tensor.detach()});
  });
  const auto whole = at::TensorOptions().dtype(at::kLong);
  tensors.push_back({kUpdates, at::full({}, state.update, whole)});
  if (state.scaler.enabled) {
    tensors.push_back({kScale, at::full({}, state.scaler.scale, at::kDouble)});
    tensors.push_back({kGoodSteps, at::full({}, state.scaler.good_steps, whole)});
  }
  return tensors;
}

void restore(RunState& state, const Checkpoint& checkpoint) {
  const at::NoGradGuard no_grad;
  std::unordered_map<std::string, at::Tensor> stored;
  for (const NamedTensor& tensor : checkpoint.tensors) {
    stored.emplace(tensor.name, tensor.tensor);
  }
  const auto find = [&](const std::string& name) {
    const auto found = stored.find(name);
    if (found == stored.end()) {
      throw CheckpointError("the checkpoint has no tensor " + name +
                            "; it was written with another configuration");
    }
    return found->second;
  };
  for_each_tensor(state, [&](const std::string& name, at::Tensor tensor) {
    const at::Tensor& value = find(name);
    if (value.sizes() != tensor.sizes()) {
      throw CheckpointError("tensor " + name +
                            " of the checkpoint has another shape than the model; "
                            "it was written with another configuration");
    }
    tensor.copy_(value);
  });
  state.update = find(kUpdates).item<std::int64_t>();
  if (state.scaler.enabled) {
    state.scaler.scale = find(kScale).item<double>();
    state.scaler.good_steps = find(kGoodSteps).item<std::int64_t>();
  }
  state.step = checkpoint.info.step;
  state.epoch_loss_sum = checkpoint.info.epoch_loss_sum;
  state.best_acc1 = checkpoint.info.best_acc1;
  state.best_epoch = checkpoint.info.best_epoch;
  state.seconds_before = checkpoint.info.seconds_before;
}

}  // namespace casvit::trainer
