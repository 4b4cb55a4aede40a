#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/model/state.h"
#include "trainer/telemetry/summary.h"

namespace casvit::trainer {

/// How the numbers of a group of parameters are spread.
struct Distribution {
  std::string group;  ///< "patch_embed", "network.0" ... "network.6", "norm", "head"
  std::int64_t elements = 0;
  double norm = 0;                 ///< L2
  std::vector<HistogramBin> bins;  ///< 30 of equal width, as TensorBoard's own have
};

/// Of the weights, by stages and downsamplings between them, in the model's order. A group with a
/// number that is not finite is left out.
std::vector<Distribution> weight_distributions(const ModelState& model);

/// The same of the gradients that the parameters hold. Empty where there are none: before the first
/// step, or after one that laid the gradients out anew. Frozen parameters are left out.
std::vector<Distribution> gradient_distributions(const ModelState& model);

}  // namespace casvit::trainer
