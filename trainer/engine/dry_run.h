#pragma once

#include <optional>

#include "launch/world.h"
#include "trainer/config/config.h"
#include "trainer/engine/run_estimate.h"
#include "trainer/engine/train.h"

namespace casvit::trainer {

/// Trains some steps, evaluates some pictures, writes a checkpoint and a report, all into a folder
/// beside `options.out` that is removed again, and says from that what the whole run would take.
/// Whatever would stop the run soon after its start stops this. Collective.
/// @returns rank 0's figures, which other ranks do not have all of; nullopt where it was
/// interrupted
/// @throws what train throws
std::optional<RunEstimate> dry_run(const Config& config, const TrainOptions& options,
                                   launch::World& world);

}  // namespace casvit::trainer
