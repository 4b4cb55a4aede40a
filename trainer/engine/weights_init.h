#pragma once

#include <string>

#include "trainer/checkpoint/weights.h"
#include "trainer/model/state.h"

namespace casvit::trainer {

/// Fills `state` from weights. Every tensor must fit. @param path for messages
/// @throws CheckpointError listing what is missing, unexpected or of another shape.
void copy_weights(const Weights& weights, const std::string& path, ModelState& state);

/// Fills `state` from one of our checkpoints or a safetensors file with the official names. Every
/// tensor must fit.
/// @returns whether they were EMA weights.
/// @throws CheckpointError listing what is missing, unexpected or of another shape.
bool load_weights(const std::string& path, WeightsChoice choice, ModelState& state);

}  // namespace casvit::trainer
