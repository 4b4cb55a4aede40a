#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/world.h"
#include "trainer/checkpoint/weights.h"
#include "trainer/config/config.h"
#include "trainer/report/evaluation.h"
#include "trainer/report/report.h"

namespace casvit::trainer {

struct PredictOptions {
  std::string checkpoint;
  std::vector<std::string> inputs;  ///< folders, picture files, .h5 files or globs
  int top_k = 5;
  bool thumbnails = false;  ///< of the pictures that a gallery shows
  WeightsChoice use = WeightsChoice::kAuto;
  std::vector<Override> overrides;  ///< for what the checkpoint does not say, or to change it
};

struct UnreadablePicture {
  std::string path;    ///< as in the output
  std::string reason;  ///< naming the file
};

struct Predictions {
  Evaluation evaluation;             ///< of the pictures that could be read; labels where known
  std::vector<std::string> classes;  ///< names; empty where the checkpoint names none
  std::vector<std::string> paths;    ///< of every picture, by its number
  std::vector<UnreadablePicture> unreadable;
  std::uint64_t ignored = 0;  ///< files that are no pictures by name
  double seconds = 0;         ///< from the first picture to the last
  bool is_ema = false;
  /// Of the gallery's pictures, in the order of gallery_choice; empty where none were asked for.
  std::vector<Thumbnail> thumbnails = {};
};

/// Names pictures by a checkpoint, with the preprocessing and class names that it carries. Pictures
/// are dealt to the ranks in fixed blocks, so that probabilities do not depend on how many there
/// are; a picture that cannot be read keeps none of the others. Collective; the whole result is on
/// every rank.
/// @throws ConfigError, CheckpointError; dataio::InputError for an input that is missing
Predictions predict(const PredictOptions& options, launch::World& world);

}  // namespace casvit::trainer
