#pragma once

#include <string>
#include <vector>

#include "launch/command_line.h"
#include "trainer/checkpoint/weights.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

/// What the commands that use a trained model have in common.
struct ModelArguments {
  std::vector<std::string> set;  ///< --set
  std::string use = "auto";      ///< --use

  WeightsChoice weights() const;
  /// @throws ConfigError
  std::vector<Override> overrides() const;
};

/// Declares --use and --set.
void add_model_options(launch::CommandLine& command, ModelArguments& arguments);

}  // namespace casvit::trainer
