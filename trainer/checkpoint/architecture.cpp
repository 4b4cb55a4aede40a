#include "trainer/checkpoint/architecture.h"

#include <limits>
#include <utility>

namespace casvit::trainer {
namespace {

/// Rows of the classifier; an absurd number fits no model.
int classes_of(const TensorShapes& weights, int otherwise) {
  const auto head = weights.find("head.weight");
  if (head == weights.end() || head->second.size() != 2 || head->second[0] < 1 ||
      head->second[0] > std::numeric_limits<int>::max()) {
    return otherwise;
  }
  return static_cast<int>(head->second[0]);
}

TensorShapes shapes_of(const RcvitOptions& options) {
  TensorShapes shapes;
  for (const TensorSpec& spec : rcvit_tensors(options)) shapes.emplace(spec.name, spec.shape);
  return shapes;
}

}  // namespace

Architecture nearest_architecture(const TensorShapes& weights) {
  Architecture nearest;
  for (const std::string& name : rcvit_names()) {
    Architecture candidate;
    candidate.name = name;
    candidate.options = rcvit_options(name);
    candidate.options.num_classes = classes_of(weights, candidate.options.num_classes);
    candidate.options.distillation =
        weights.contains("dist_head.weight") || weights.contains("dist_head.bias");
    candidate.options.features_only = weights.contains("norm2.weight") &&
                                      !weights.contains("head.weight") &&
                                      !weights.contains("norm.weight");
    candidate.match = match_shapes(weights, shapes_of(candidate.options));
    if (nearest.name.empty() || candidate.match.differences() < nearest.match.differences()) {
      nearest = std::move(candidate);
    }
  }
  return nearest;
}

std::optional<Architecture> recognise_architecture(
    const std::map<std::string, at::Tensor>& tensors) {
  TensorShapes shapes;
  for (const auto& [name, tensor] : tensors) shapes.emplace(name, tensor.sizes().vec());
  Architecture nearest = nearest_architecture(shapes);
  if (!nearest.match.is_exact()) return std::nullopt;
  return nearest;
}

}  // namespace casvit::trainer
