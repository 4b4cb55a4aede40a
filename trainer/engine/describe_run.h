#pragma once

#include <string>
#include <vector>

#include "trainer/config/config.h"
#include "trainer/engine/run_inputs.h"
#include "trainer/model/rcvit.h"

namespace casvit::trainer {

/// What a run tells of itself before its first step, a line each: model and machine, data, batches,
/// what was staged, and warnings.
/// @param ranks of the world
std::vector<std::string> describe_run(const Config& config, const RunInputs& inputs,
                                      const Rcvit& model, int ranks);

}  // namespace casvit::trainer
