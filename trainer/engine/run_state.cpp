#include "trainer/engine/run_state.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <unordered_map>
#include <utility>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

constexpr const char* kScale = "scaler.scale";
constexpr const char* kGoodSteps = "scaler.good_steps";
constexpr const char* kUpdates = "optimizer.step";
constexpr const char* kAverage = "ema.";

/// What each parameter has besides its value, laid out as the parameters or, where sharded, as this
/// rank's parts of them.
struct Companion {
  std::string prefix;  ///< of the names in a checkpoint
  at::Tensor own;
};

std::vector<Companion> companions_of(const RunState& state) {
  std::vector<Companion> companions;
  for (const Optimizer::Moment& moment : state.optimizer.moments()) {
    companions.push_back({"optimizer." + moment.name + ".", moment.own});
  }
  if (state.average) {
    companions.push_back({kAverage, state.average->own_parameters()});
  }
  return companions;
}

/// A parameter's place in a whole vector that is laid out as the parameters, in its shape.
at::Tensor place_of(const ModelState::Entry& entry, const at::Tensor& whole) {
  return whole.narrow(0, entry.offset, entry.tensor.numel()).view(entry.tensor.sizes());
}

/// A buffer or counter of the average.
at::Tensor statistic_of(const ModelState::Entry& entry, const Ema& average) {
  return place_of(
      entry, entry.role == TensorRole::kBatchesTracked ? average.counters() : average.buffers());
}

/// The tensors that are whole on every rank.
template <typename Visit>
void for_each_replicated(const RunState& state, Visit visit) {
  for (const ModelState::Entry& entry : state.model.state().entries()) {
    visit("model." + entry.name, entry.tensor);
    if (state.average && !entry.is_parameter()) {
      visit(kAverage + entry.name, statistic_of(entry, *state.average));
    }
  }
}

/// Those of a companion, in `whole`.
template <typename Visit>
void for_each_of(const RunState& state, const Companion& companion, const at::Tensor& whole,
                 Visit visit) {
  for (const ModelState::Entry* entry : state.model.state().parameter_entries()) {
    visit(companion.prefix + entry->name, place_of(*entry, whole));
  }
}

}  // namespace

RunState::RunState(const RcvitOptions& model_options, const OptimizerOptions& optimizer_options,
                   const RuleOptions& rules, bool with_average, const at::Device& device)
    : model(model_options, at::kFloat, device),
      optimizer(model.state(), optimizer_options,
                parameter_rules(model.state(), model_options, rules)),
      partition(Partition::unsharded(model.state())) {
  if (with_average) {
    average.emplace(model.state());
  }
}

void RunState::arrange(const BucketLayout& layout, launch::Communicator& communicator) {
  const at::NoGradGuard no_grad;
  const std::vector<const ModelState::Entry*> entries = model.state().parameter_entries();
  std::vector<std::int64_t> old_offsets;
  for (const ModelState::Entry* entry : entries) {
    old_offsets.push_back(entry->offset);
  }
  const Partition before = std::exchange(partition, Partition(layout, communicator.rank()));
  model.state().arrange(partition.offsets(), partition.length());
  // One after the other: where they are sharded, a rank has no room for all of them whole.
  std::vector<at::Tensor> moved;
  for (const Companion& companion : companions_of(*this)) {
    const at::Tensor from = before.gather(companion.own, communicator);
    const at::Tensor to = at::zeros({partition.length()}, from.options());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::int64_t elements = entries[i]->tensor.numel();
      to.narrow(0, entries[i]->offset, elements).copy_(from.narrow(0, old_offsets[i], elements));
    }
    moved.push_back(partition.take(to));
  }
  if (average) {
    average->adopt(partition, moved.back());
    moved.pop_back();
  }
  optimizer.adopt(partition, moved);
}

Rcvit RunState::average_model(launch::Communicator& communicator) const {
  const at::NoGradGuard no_grad;
  const at::Tensor whole = partition.gather(average->own_parameters(), communicator);
  Rcvit result(model.options(), at::kFloat, whole.device());
  for (const ModelState::Entry& entry : model.state().entries()) {
    at::Tensor target = result.state().entry(entry.name).tensor;
    target.copy_(entry.is_parameter() ? place_of(entry, whole) : statistic_of(entry, *average));
  }
  return result;
}

std::vector<NamedTensor> checkpoint_tensors(const RunState& state,
                                            launch::Communicator& communicator) {
  std::vector<NamedTensor> tensors;
  const bool keeps = communicator.rank() == 0;
  const auto add = [&](const std::string& name, const at::Tensor& tensor) {
    tensors.push_back({name, tensor.detach()});
  };
  for (const Companion& companion : companions_of(state)) {
    const at::Tensor whole = state.partition.gather(companion.own, communicator);
    if (keeps) {
      for_each_of(state, companion, whole, add);
    }
  }
  if (!keeps) {
    return tensors;
  }
  for_each_replicated(state, add);
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
  const auto put = [&](const std::string& name, at::Tensor tensor) {
    const at::Tensor value = find(name);
    if (value.sizes() != tensor.sizes()) {
      throw CheckpointError("tensor " + name +
                            " of the checkpoint has another shape than the model; "
                            "it was written with another configuration");
    }
    tensor.copy_(value);
  };
  for_each_replicated(state, put);
  for (const Companion& companion : companions_of(state)) {
    for_each_of(state, companion, companion.own, put);
  }
  state.update = find(kUpdates).item<std::int64_t>();
  if (state.scaler.enabled && stored.contains(kScale)) {
    state.scaler.scale = find(kScale).item<float>();
    state.scaler.good_steps = find(kGoodSteps).item<std::int64_t>();
  }
  state.step = checkpoint.info.step;
  state.epoch_loss_sum = checkpoint.info.epoch_loss_sum;
  state.replaced = checkpoint.info.replaced;
  state.replaced_in_epoch = checkpoint.info.replaced_in_epoch;
  state.skipped = checkpoint.info.skipped;
  state.skipped_in_epoch = checkpoint.info.skipped_in_epoch;
  state.skipped_in_row = checkpoint.info.skipped_in_row;
  state.patience_acc1 = checkpoint.info.patience_acc1;
  state.evaluations_since_best = checkpoint.info.evaluations_since_best;
  state.best_acc1 = checkpoint.info.best_acc1;
  state.best_epoch = checkpoint.info.best_epoch;
  state.seconds_before = checkpoint.info.seconds_before;
  state.bucket_bytes = checkpoint.info.bucket_bytes;
}

}  // namespace casvit::trainer
