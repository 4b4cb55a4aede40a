#pragma once

#include <string>
#include <vector>

#include "trainer/checkpoint/weights.h"
#include "trainer/model/state.h"

namespace casvit::trainer {

/// Whether weights may have other classifiers than the model. kMayDiffer is for fine-tuning: a head
/// of another number of classes and a missing second head (`dist_head`) keep the values that the
/// model has, a second head that the model has not is left out.
enum class HeadPolicy { kMustFit, kMayDiffer };

struct LoadedWeights {
  bool is_ema = false;
  /// What was taken, and what became of each head that did not fit: lines for a log.
  std::vector<std::string> notes;
};

/// Fills `state` from weights that were read. Every tensor but those of heads must fit.
/// @param path for messages. @throws CheckpointError as load_weights
LoadedWeights copy_weights(Weights weights, const std::string& path, ModelState& state,
                           HeadPolicy heads);

/// Fills `state` from one of our checkpoints or a safetensors file with the official names. Every
/// tensor but those of heads must fit.
/// @throws CheckpointError listing what is missing, unexpected or of another shape; nothing has
/// been written to `state` then.
LoadedWeights load_weights(const std::string& path, WeightsChoice choice, ModelState& state,
                           HeadPolicy heads = HeadPolicy::kMustFit);

}  // namespace casvit::trainer
