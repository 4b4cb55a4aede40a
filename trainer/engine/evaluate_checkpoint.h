#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launch/world.h"
#include "trainer/engine/contender.h"
#include "trainer/report/evaluation.h"
#include "trainer/report/paired_comparison.h"

namespace casvit::trainer {

struct EvaluateCheckpointOptions : ContenderOptions {
  std::vector<std::string> data;            ///< .h5 files or globs
  std::string out;                          ///< folder for report/; empty: none is written
  std::string tta;                          ///< see test_time_views; of both models
  std::optional<ContenderOptions> against;  ///< another model to compare with
};

/// The evaluated model beside another one.
struct AgainstResult {
  std::string own_name, name;        ///< of each: file, architecture, image size, weights
  std::vector<std::string> classes;  ///< names
  PairedComparison paired;
};

struct CheckpointEvaluation {
  Accuracy accuracy;
  bool is_ema = false;
  int views = 1;                         ///< of each picture
  std::optional<AgainstResult> against;  ///< where it was asked for
  std::string report;                    ///< path of index.html, where one was written (rank 0)
  std::string note;                      ///< what is missing of it; empty where nothing is
};

/// Evaluates a checkpoint, or a file of weights, on packed data, with the preprocessing and class
/// names that it carries; where it carries none, with the overrides' and the data's. Every rank
/// calls it. `launch.expect_ranks` and `launch.expect_hosts` count where the overrides
/// have them; the checkpoint's are those of its training.
///
/// A model to compare with sees the same pictures with its own preprocessing; they are decoded once
/// for both where that is the same.
/// @throws WorldError; ConfigError where the data's classes are not the checkpoint's, or the two
/// models have different numbers of them; CheckpointError; InputError
CheckpointEvaluation evaluate_checkpoint(const EvaluateCheckpointOptions& options,
                                         launch::World& world);

}  // namespace casvit::trainer
