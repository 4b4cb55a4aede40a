#pragma once

#include <functional>
#include <string>

#include "dataio/pack/packer.h"
#include "launch/command_line.h"
#include "launch/exit_code.h"

/// The subcommands of casvit-pack. Each `add_*` declares one on `program`; the function that it
/// returns carries it out, and is called when the subcommand was chosen. Results go to standard
/// output, progress and complaints to standard error.
namespace casvit::dataio {

/// What pack runs in: the ranks that share the work, and how many threads suit this one.
struct PackEnvironment {
  PackRanks ranks;
  int cores = 1;
};

using Command = std::function<launch::ExitCode()>;

/// @param command_line the whole command as it was typed, stored in what is packed.
/// @param environment outlives the command
Command add_pack_command(launch::CommandLine& program, const std::string& command_line,
                         const PackEnvironment& environment);
Command add_info_command(launch::CommandLine& program);
Command add_preview_command(launch::CommandLine& program);
Command add_verify_command(launch::CommandLine& program);
Command add_stats_command(launch::CommandLine& program);
Command add_leaks_command(launch::CommandLine& program);
Command add_extract_command(launch::CommandLine& program);

/// Everything that a bug report needs.
std::string version_text();

}  // namespace casvit::dataio
