#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "dataio/pack/packer.h"
#include "launch/exit_code.h"

/// The subcommands of casvit-pack. Each `add_*` declares one on `app`; the function that it returns
/// carries it out, and is called when the subcommand was chosen. Results go to standard output,
/// progress and complaints to standard error.
namespace casvit::dataio {

/// What pack runs in: the ranks that share the work, and how many threads suit this one.
struct PackEnvironment {
  PackRanks ranks;
  int cores = 1;
};

using Command = std::function<launch::ExitCode()>;

/// @param command_line the whole command as it was typed, stored in what is packed.
/// @param environment outlives the command
Command add_pack_command(CLI::App& app, const std::string& command_line,
                         const PackEnvironment& environment);
Command add_info_command(CLI::App& app);
Command add_preview_command(CLI::App& app);
Command add_verify_command(CLI::App& app);
Command add_stats_command(CLI::App& app);
Command add_leaks_command(CLI::App& app);
Command add_extract_command(CLI::App& app);

/// Everything that a bug report needs.
std::string version_text();

}  // namespace casvit::dataio
