#pragma once

#include <string>
#include <vector>

#include "launch/command_line.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

/// What the commands that are about one run have in common.
struct RunArguments {
  std::string config;            ///< --config
  std::vector<std::string> set;  ///< --set
  std::string out;               ///< --out
};

/// Declares --config and --set.
void add_config_options(launch::CommandLine& command, RunArguments& arguments);
/// Declares --out.
void add_out_option(launch::CommandLine& command, RunArguments& arguments);

/// The effective configuration: of ./casvit.yaml where --config was left out. @throws ConfigError
Config load_config_of(const RunArguments& arguments);
/// --out, or runs/<name of the configuration>.
std::string run_folder_of(const RunArguments& arguments);

}  // namespace casvit::trainer
