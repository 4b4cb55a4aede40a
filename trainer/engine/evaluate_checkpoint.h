#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launch/world.h"
#include "trainer/checkpoint/weights.h"
#include "trainer/config/config.h"
#include "trainer/report/evaluation.h"

namespace casvit::trainer {

struct EvaluateCheckpointOptions {
  std::string checkpoint;
  std::vector<std::string> data;  ///< .h5 files or globs
  std::string out;                ///< folder for report/; empty: none is written
  WeightsChoice use = WeightsChoice::kAuto;
  std::vector<Override> overrides;  ///< for what the checkpoint does not say, or to change it
};

struct CheckpointEvaluation {
  Accuracy accuracy;
  bool is_ema = false;
  std::string report;  ///< path of index.html, where one was written (rank 0)
  std::string note;    ///< what is missing of it; empty where nothing is
};

/// Evaluates a checkpoint, or a file of weights, on packed data, with the preprocessing and class
/// names that it carries; where it carries none, with the overrides' and the data's. Every rank
/// calls it. `launch.expect_ranks` and `launch.expect_hosts` count where the overrides
/// have them; the checkpoint's are those of its training.
/// @throws WorldError; ConfigError where the data's classes are not the checkpoint's;
/// CheckpointError; InputError
CheckpointEvaluation evaluate_checkpoint(const EvaluateCheckpointOptions& options,
                                         launch::World& world);

}  // namespace casvit::trainer
