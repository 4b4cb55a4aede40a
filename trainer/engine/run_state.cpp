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

/// Whole vectors of what each parameter has besides its value, laid out as the parameters.
struct Companions {
  at::Tensor first_moment, second_moment, average;

  static Companions gather(const RunState& state, launch::Communicator& communicator) {
    Companions all;
    all.first_moment = state.partition.gather(state.optimizer.first_moment(), communicator);
    all.second_moment = state.partition.gather(state.optimizer.second_moment(), communicator);
    if (state.average) {
      all.average = state.partition.gather(state.average->own_parameters(), communicator);
    }
    return all;
  }
  static Companions zeros_for(const RunState& state) {
    const auto zeros = [&] { return at::zeros_like(state.model.state().parameters()); };
    return {zeros(), zeros(), state.average ? zeros() : at::Tensor()};
  }
  void give_to(RunState& state) const {
    state.optimizer.adopt(state.partition, first_moment, second_moment);
    if (state.average) {
      state.average->adopt(state.partition, average);
    }
  }
};

/// An entry's place in a vector that is laid out as its model's, in the entry's shape.
at::Tensor place_of(const ModelState::Entry& entry, const at::Tensor& parameters,
                    const at::Tensor& buffers, const at::Tensor& counters) {
  const at::Tensor& flat = entry.is_parameter()                        ? parameters
                           : entry.role == TensorRole::kBatchesTracked ? counters
                                                                       : buffers;
  return flat.narrow(0, entry.offset, entry.tensor.numel()).view(entry.tensor.sizes());
}

template <typename Visit>
void for_each_tensor(const RunState& state, const Companions& all, Visit visit) {
  const std::vector<ModelState::Entry>& entries = state.model.state().entries();
  for (const ModelState::Entry& entry : entries) {
    visit("model." + entry.name, entry.tensor);
  }
  if (state.average) {
    for (const ModelState::Entry& entry : entries) {
      visit("ema." + entry.name,
            place_of(entry, all.average, state.average->buffers(), state.average->counters()));
    }
  }
  for (const ModelState::Entry* entry : state.model.state().parameter_entries()) {
    visit("optimizer.exp_avg." + entry->name, place_of(*entry, all.first_moment, {}, {}));
    visit("optimizer.exp_avg_sq." + entry->name, place_of(*entry, all.second_moment, {}, {}));
  }
}

}  // namespace

RunState::RunState(const RcvitOptions& model_options, const AdamWOptions& optimizer_options,
                   bool with_average, const at::Device& device)
    : model(model_options, at::kFloat, device),
      optimizer(model.state(), optimizer_options),
      partition(Partition::unsharded(model.state())) {
  if (with_average) {
    average.emplace(model.state());
  }
}

void RunState::arrange(const BucketLayout& layout, launch::Communicator& communicator) {
  const at::NoGradGuard no_grad;
  const Companions before = Companions::gather(*this, communicator);
  const std::vector<const ModelState::Entry*> entries = model.state().parameter_entries();
  std::vector<std::int64_t> old_offsets;
  for (const ModelState::Entry* entry : entries) {
    old_offsets.push_back(entry->offset);
  }
  partition = Partition(layout, communicator.rank());
  model.state().arrange(partition.offsets(), partition.length());
  const Companions after = Companions::zeros_for(*this);
  const auto move = [&](const at::Tensor& from, const at::Tensor& to) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::int64_t elements = entries[i]->tensor.numel();
      to.narrow(0, entries[i]->offset, elements).copy_(from.narrow(0, old_offsets[i], elements));
    }
  };
  move(before.first_moment, after.first_moment);
  move(before.second_moment, after.second_moment);
  if (average) {
    move(before.average, after.average);
  }
  after.give_to(*this);
}

Rcvit RunState::average_model(launch::Communicator& communicator) const {
  const at::NoGradGuard no_grad;
  const at::Tensor whole = partition.gather(average->own_parameters(), communicator);
  Rcvit result(model.options(), at::kFloat, whole.device());
  for (const ModelState::Entry& entry : model.state().entries()) {
    at::Tensor target = result.state().entry(entry.name).tensor;
    target.copy_(place_of(entry, whole, average->buffers(), average->counters()));
  }
  return result;
}

std::vector<NamedTensor> checkpoint_tensors(const RunState& state,
                                            launch::Communicator& communicator) {
  std::vector<NamedTensor> tensors;
  for_each_tensor(state, Companions::gather(state, communicator),
                  [&](const std::string& name, const at::Tensor& tensor) {
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
  const Companions all = Companions::zeros_for(state);
  for_each_tensor(state, all, [&](const std::string& name, at::Tensor tensor) {
    const at::Tensor& value = find(name);
    if (value.sizes() != tensor.sizes()) {
      throw CheckpointError("tensor " + name +
                            " of the checkpoint has another shape than the model; "
                            "it was written with another configuration");
    }
    tensor.copy_(value);
  });
  all.give_to(state);
  state.update = find(kUpdates).item<std::int64_t>();
  if (state.scaler.enabled && stored.contains(kScale)) {
    state.scaler.scale = find(kScale).item<double>();
    state.scaler.good_steps = find(kGoodSteps).item<std::int64_t>();
  }
  state.step = checkpoint.info.step;
  state.epoch_loss_sum = checkpoint.info.epoch_loss_sum;
  state.replaced = checkpoint.info.replaced;
  state.replaced_in_epoch = checkpoint.info.replaced_in_epoch;
  state.best_acc1 = checkpoint.info.best_acc1;
  state.best_epoch = checkpoint.info.best_epoch;
  state.seconds_before = checkpoint.info.seconds_before;
  state.bucket_bytes = checkpoint.info.bucket_bytes;
}

}  // namespace casvit::trainer
