#pragma once

#include <cstdint>
#include <string>

#include "launch/exit_code.h"
#include "launch/world.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

enum class ResumeMode { kNone, kAuto, kCheckpoint };

struct TrainOptions {
  std::string out = "runs/train";  ///< run folder
  ResumeMode resume = ResumeMode::kNone;
  std::string checkpoint;  ///< for ResumeMode::kCheckpoint
  std::string trace;       ///< file for a Chrome trace of some steps; empty: none
  std::int64_t trace_steps = 10;
  bool rehearsal = false;            ///< of dry_run: nothing is said
  std::uint64_t most_evaluated = 0;  ///< pictures, for a rehearsal; 0: all
};

/// Trains to the end of the schedule (or `train.max_steps`), evaluating, saving and reporting on
/// the way. Every rank calls it. Once launch::Interruption is requested on any rank, all finish the
/// step, save, and leave together.
/// @returns kDone, or kInterrupted when the checkpoint is durable, or nothing was trained yet
/// @throws ConfigError, CheckpointError, OutputError, DivergedError, dataio::InputError,
/// launch::CommunicationError
launch::ExitCode train(const Config& config, const TrainOptions& options, launch::World& world);

}  // namespace casvit::trainer
