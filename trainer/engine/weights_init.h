#pragma once

#include <string>

#include "trainer/model/state.h"

namespace casvit::trainer {

/// Fills `state` from a safetensors file: one of our checkpoints (EMA weights where it has them) or a
/// file with the official names. Every tensor must fit.
/// @throws CheckpointError listing what is missing, unexpected or of another shape.
void load_weights(const std::string& path, ModelState& state);

}  // namespace casvit::trainer
