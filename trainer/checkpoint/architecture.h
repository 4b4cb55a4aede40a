#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>

#include "trainer/checkpoint/weights.h"
#include "trainer/model/rcvit.h"

namespace casvit::trainer {

/// A published size, and how far weights are from it.
struct Architecture {
  std::string name;      ///< rcvit_xs, rcvit_s, rcvit_m, rcvit_t
  RcvitOptions options;  ///< with the weights' classes, second head, or none (features_only)
  WeightsMatch match;
};

/// The published size that weights fit best, by names and shapes; whether they fit is in `match`.
Architecture nearest_architecture(const TensorShapes& weights);

/// The published size that weights under official names are of, all of them and nothing else;
/// nullopt where there is none.
std::optional<Architecture> recognise_architecture(
    const std::map<std::string, at::Tensor>& tensors);

}  // namespace casvit::trainer
