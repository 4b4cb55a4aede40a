#pragma once

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/config/config.h"
#include "trainer/engine/run_inputs.h"
#include "trainer/engine/run_state.h"

namespace casvit::trainer {

/// What a checkpoint of this state says besides its tensors.
/// @param evaluation_due the epoch's steps are done, its evaluation is not: the epoch is not
/// @param seconds of training so far, over all restarts
CheckpointInfo checkpoint_info(const Config& config, const RunInputs& inputs, const RunState& state,
                               bool evaluation_due, double seconds);

}  // namespace casvit::trainer
