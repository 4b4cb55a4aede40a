#pragma once

#include <string>
#include <vector>

#include "launch/command_line.h"
#include "trainer/checkpoint/weights.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

/// "auto", "ema" or "model", as --use has it.
WeightsChoice weights_named(const std::string& use);
/// key=value texts, as --set has them. @throws ConfigError
std::vector<Override> parse_overrides(const std::vector<std::string>& texts);

/// What the commands that use a trained model have in common.
struct ModelArguments {
  std::vector<std::string> set;  ///< --set
  std::string use = "auto";      ///< --use
  int size = 0;                  ///< --size, pixels; 0: as the checkpoint says

  WeightsChoice weights() const { return weights_named(use); }
  /// --set, and --size as its key. @throws ConfigError
  std::vector<Override> overrides() const;
};

/// Declares --use, --size and --set.
void add_model_options(launch::CommandLine& command, ModelArguments& arguments);

}  // namespace casvit::trainer
