#include "trainer/checkpoint/weights.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/checkpoint_metadata.h"
#include "trainer/checkpoint/quoted_name.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

constexpr std::string_view kModelPrefix = "model.";
constexpr std::string_view kEmaPrefix = "ema.";

bool any_under(const std::vector<NamedTensor>& tensors, std::string_view prefix) {
  return std::any_of(tensors.begin(), tensors.end(),
                     [&](const NamedTensor& entry) { return entry.name.starts_with(prefix); });
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t dimension : shape) {
    text += (text.empty() ? "" : ", ") + std::to_string(dimension);
  }
  return "[" + text + "]";
}

TensorShapes shapes_of(const std::map<std::string, at::Tensor>& tensors) {
  TensorShapes shapes;
  for (const auto& [name, tensor] : tensors) shapes.emplace(name, tensor.sizes().vec());
  return shapes;
}

void list(std::string& text, const char* heading, const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  if (names.empty()) return;
  text += std::string("\n  ") + heading + ": ";
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : ", ") + escaped(names[i]);
  }
  if (names.size() > kShown) {
    text += " and " + std::to_string(names.size() - kShown) + " more";
  }
}

}  // namespace

Weights select_weights(const std::vector<NamedTensor>& tensors, WeightsChoice choice,
                       const std::string& path) {
  const bool has_model = any_under(tensors, kModelPrefix);
  const bool has_ema = any_under(tensors, kEmaPrefix);
  const bool is_plain = !has_model && !has_ema;
  Weights weights;
  weights.is_ema = choice == WeightsChoice::kEma || (choice == WeightsChoice::kAuto && has_ema);
  if (weights.is_ema && !has_ema) {
    throw CheckpointError(path + " holds no EMA weights; take the model's");
  }
  if (!weights.is_ema && has_ema && !has_model) {
    throw CheckpointError(path + " holds EMA weights only");
  }
  const std::string_view prefix = is_plain ? "" : weights.is_ema ? kEmaPrefix : kModelPrefix;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) weights.tensors.emplace(name.substr(prefix.size()), tensor);
  }
  if (weights.tensors.empty()) throw CheckpointError(path + " holds no tensors");
  return weights;
}

Weights read_weights(const std::string& path, WeightsChoice choice) {
  const InputFile file(path);
  const SafetensorsHeader header = read_header(file);
  const std::vector<NamedTensor> tensors = read_tensors(file, header);
  if (is_checkpoint(header.metadata)) {
    check_hashes(tensors, parse_metadata(header, path).hashes, path);
  }
  return select_weights(tensors, choice, path);
}

WeightsMatch match_weights(const std::map<std::string, at::Tensor>& weights,
                           const std::map<std::string, at::Tensor>& expected) {
  return match_shapes(shapes_of(weights), shapes_of(expected));
}

WeightsMatch match_shapes(const TensorShapes& weights, const TensorShapes& expected) {
  WeightsMatch match;
  for (const auto& [name, shape] : expected) {
    const auto found = weights.find(name);
    if (found == weights.end()) {
      match.missing.push_back(name);
    } else if (found->second != shape) {
      match.mismatched.push_back(name + " " + shape_text(found->second) + " for " +
                                 shape_text(shape));
    }
  }
  for (const auto& [name, shape] : weights) {
    if (!expected.contains(name)) match.unexpected.push_back(name);
  }
  return match;
}

std::string describe(const WeightsMatch& match) {
  std::string text;
  list(text, "missing", match.missing);
  list(text, "not of this model", match.unexpected);
  list(text, "of another shape", match.mismatched);
  return text;
}

}  // namespace casvit::trainer
