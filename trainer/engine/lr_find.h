#pragma once

#include <string>
#include <vector>

#include "launch/world.h"
#include "trainer/config/config.h"
#include "trainer/optim/lr_suggestion.h"

namespace casvit::trainer {

struct LrFindOptions {
  double from = 1e-6;
  double to = 1;
  int steps = 100;
  std::string out;  ///< folder for lr_find.csv and lr_find.svg
};

struct LrFindResult {
  std::vector<LrTrial> trials;  ///< the same on every rank
  LrSuggestion suggestion;
  bool interrupted = false;
};

/// A learning-rate range test of a configuration: as many steps of its training as asked for, with
/// everything that belongs to them, the learning rate rising by a constant factor from step to
/// step; it ends early where the loss blows up. Nothing is kept but the curve. Collective; rank 0
/// writes the files.
/// @throws ConfigError, CheckpointError, dataio::InputError, OutputError; DivergedError where the
/// loss is not finite before there is anything to see
LrFindResult find_learning_rate(const Config& given, const LrFindOptions& options,
                                launch::World& world);

}  // namespace casvit::trainer
