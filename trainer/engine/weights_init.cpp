#include "trainer/engine/weights_init.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

void list(std::string& text, const char* heading, const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  if (names.empty()) {
    return;
  }
  text += std::string("\n  ") + heading + ": ";
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kShown) {
    text += " and " + std::to_string(names.size() - kShown) + " more";
  }
}

}  // namespace

void copy_weights(const Weights& weights, const std::string& path, ModelState& state) {
  std::map<std::string, at::Tensor> expected;
  for (const ModelState::Entry& entry : state.entries()) {
    expected.emplace(entry.name, entry.tensor);
  }
  const WeightsMatch match = match_weights(weights.tensors, expected);
  if (!match.is_exact()) {
    std::string message = path + " does not fit the model:";
    list(message, "missing", match.missing);
    list(message, "not of this model", match.unexpected);
    list(message, "of another shape", match.mismatched);
    throw CheckpointError(message +
                          "\nuse the model.name and model.num_classes that it was made with");
  }
  const at::NoGradGuard no_grad;
  for (const ModelState::Entry& entry : state.entries()) {
    at::Tensor tensor = entry.tensor;
    tensor.copy_(weights.tensors.at(entry.name));
  }
}

bool load_weights(const std::string& path, WeightsChoice choice, ModelState& state) {
  const Weights weights = read_weights(path, choice);
  copy_weights(weights, path, state);
  return weights.is_ema;
}

}  // namespace casvit::trainer
