#include "trainer/engine/weights_init.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

/// A classifier's tensors.
struct Head {
  const at::Tensor* weight = nullptr;  ///< `[classes, features]`
  const at::Tensor* bias = nullptr;    ///< `[classes]`

  bool is_there() const { return weight != nullptr && bias != nullptr; }
  bool is_sound() const {
    return is_there() && weight->dim() == 2 && bias->dim() == 1 && bias->size(0) == weight->size(0);
  }
};

Head find_head(const Tensors& tensors, const std::string& name) {
  const auto weight = tensors.find(name + ".weight");
  const auto bias = tensors.find(name + ".bias");
  return {weight == tensors.end() ? nullptr : &weight->second,
          bias == tensors.end() ? nullptr : &bias->second};
}

void forget_head(Tensors& tensors, const std::string& name) {
  tensors.erase(name + ".weight");
  tensors.erase(name + ".bias");
}

/// Takes a head that does not fit out of both, and says so. What is no matter of classes stays in
/// them, to be refused with the rest.
void set_apart(const std::string& name, Tensors& weights, Tensors& expected,
               std::vector<std::string>& notes) {
  const Head ours = find_head(expected, name);
  const Head theirs = find_head(weights, name);
  const bool is_optional = name == "dist_head";
  if (ours.is_sound() && theirs.is_sound() && ours.weight->size(0) != theirs.weight->size(0) &&
      ours.weight->size(1) == theirs.weight->size(1)) {
    notes.push_back("  " + name + ": the file's has " + std::to_string(theirs.weight->size(0)) +
                    " classes, the model " + std::to_string(ours.weight->size(0)) +
                    "; it starts from random values");
    forget_head(weights, name);
    forget_head(expected, name);
  } else if (is_optional && ours.is_there() && theirs.weight == nullptr && theirs.bias == nullptr) {
    notes.push_back("  " + name + ": not in the file; it starts from random values");
    forget_head(expected, name);
  } else if (is_optional && theirs.is_there() && ours.weight == nullptr) {
    notes.push_back("  " + name + ": left out, for model.distillation is off");
    forget_head(weights, name);
  }
}

}  // namespace

LoadedWeights copy_weights(Weights weights, const std::string& path, ModelState& state,
                           HeadPolicy heads) {
  Tensors expected;
  for (const ModelState::Entry& entry : state.entries()) {
    expected.emplace(entry.name, entry.tensor);
  }
  LoadedWeights loaded;
  loaded.is_ema = weights.is_ema;
  std::vector<std::string> head_notes;
  if (heads == HeadPolicy::kMayDiffer) {
    for (const char* name : {"head", "dist_head"}) {
      set_apart(name, weights.tensors, expected, head_notes);
    }
  }
  const WeightsMatch match = match_weights(weights.tensors, expected);
  if (!match.is_exact()) {
    throw CheckpointError(
        path + " does not fit the model:" + describe(match) + "\nuse the model.name" +
        (heads == HeadPolicy::kMustFit ? " and model.num_classes" : "") + " that it was made with");
  }
  loaded.notes.push_back("weights: " + std::to_string(expected.size()) + " of " +
                         std::to_string(state.entries().size()) + " tensors from " + path +
                         (loaded.is_ema ? " (EMA)" : ""));
  loaded.notes.insert(loaded.notes.end(), head_notes.begin(), head_notes.end());
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : expected) {
    tensor.copy_(weights.tensors.at(name));
  }
  return loaded;
}

LoadedWeights load_weights(const std::string& path, WeightsChoice choice, ModelState& state,
                           HeadPolicy heads) {
  return copy_weights(read_weights(path, choice), path, state, heads);
}

}  // namespace casvit::trainer
