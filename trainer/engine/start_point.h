#pragma once

#include <string>

#include "launch/world.h"
#include "trainer/engine/run_log.h"
#include "trainer/engine/train.h"

namespace casvit::trainer {

/// The checkpoint that a run begins with, empty where it begins anew: what was asked for, or with
/// --resume auto the newest whole one of the run folder. Rank 0 looks, every rank is told;
/// collective. Checkpoints passed over are told to `log`.
/// @throws ConfigError where the folder's own run would be lost or become two
/// @throws CheckpointError where --resume auto finds checkpoints, none of which can be read
/// (beginning again would write over them), where the named one cannot be, and on a rank whose host
/// does not have it
std::string checkpoint_to_resume(const TrainOptions& options, launch::World& world, RunLog& log);

}  // namespace casvit::trainer
