// casvit-pack: packs folders of pictures into HDF5 and looks after what was packed.

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataio/commands/commands.h"
#include "dataio/commands/damaged_report.h"
#include "dataio/commands/signal_gate.h"
#include "dataio/container/display.h"
#include "dataio/container/lost_mapping.h"
#include "dataio/error.h"
#include "launch/command_line.h"
#include "launch/error.h"
#include "launch/exit_code.h"
#include "launch/threads.h"
#include "launch/world.h"

namespace casvit::dataio {
namespace {

using launch::ExitCode;

constexpr std::array<std::string_view, 7> kCommands{"pack",  "info",    "verify", "stats",
                                                    "leaks", "extract", "preview"};
constexpr std::array<std::string_view, 3> kOwnOptions{"--help", "-h", "--version"};

constexpr const char* kDescription =
    "Example: casvit-pack photos -o photos.h5\n\n"
    "Packs folders of pictures into HDF5 files for casvit_dist, and looks after them.\n"
    "'casvit-pack SRC -o OUT.h5' means 'casvit-pack pack SRC -o OUT.h5'.";
constexpr const char* kFooter =
    "Exit codes: 0 done, 2 usage, 3 an input missing or damaged, 6 an output could not be "
    "written,\n"
    "70 a defect of casvit-pack.";

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Whether the first word is neither a command nor an option of the program itself: pack is meant.
bool means_pack(const std::vector<std::string>& arguments) {
  return !arguments.empty() && !contains(kCommands, arguments[0]) &&
         !contains(kOwnOptions, arguments[0]);
}

/// In the list of commands only the sentence that says what each does; the example and the rest
/// stand in the command's own help.
std::string brief(const std::string& command, const std::string& description) {
  std::string text = description.substr(description.find("\n\n") + 2);
  text.erase(std::min(text.find(". "), text.size()));
  text.erase(std::min(text.find(".\n"), text.size()));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return "  " + command + std::string(10 - command.size(), ' ') + text + "\n";
}

/// As a shell would take it again.
std::string quoted(const std::string& argument) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+@%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) return argument;
  std::string text = "'";
  for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string command_line_of(const std::vector<std::string>& arguments) {
  std::string line = "casvit-pack";
  for (const std::string& argument : arguments) line += " " + quoted(argument);
  return line;
}

/// A word that is no command is taken for a folder to pack: say so where that did not work out.
std::string command_hint(const std::vector<std::string>& arguments, bool implied_pack) {
  std::error_code error;
  if (!implied_pack || arguments[0].starts_with('-') ||
      std::filesystem::exists(std::filesystem::path(arguments[0]), error)) {
    return "";
  }
  return " ('" + display_path(arguments[0]) +
         "' is neither a folder nor a command; the commands are pack, info, verify, stats, leaks, "
         "extract and preview)";
}

UsageError usage_error(const launch::CommandLineError& error, const std::string& hint) {
  return UsageError(std::string(error.what()) + hint +
                    "; see casvit-pack --help, for example: casvit-pack photos -o photos.h5");
}

/// Results that nobody could read are no results: a full disk behind standard output shows here.
void flush_output() {
  std::cout.flush();
  if (!std::cout) throw OutputError("cannot write to standard output");
}

ExitCode parse_and_run(std::vector<std::string> arguments, const PackEnvironment& environment) {
  launch::CommandLine program(kDescription, "casvit-pack");
  program.footer(kFooter);
  program.describe_subcommands(brief);
  program.version_flag("--version", version_text);
  program.require_subcommand();
  const std::string command_line = command_line_of(arguments);
  const std::array<Command, kCommands.size()> commands{
      add_pack_command(program, command_line, environment),
      add_info_command(program),
      add_verify_command(program),
      add_stats_command(program),
      add_leaks_command(program),
      add_extract_command(program),
      add_preview_command(program)};
  std::vector<launch::CommandLine> subcommands = program.subcommands();
  for (launch::CommandLine& command : subcommands) command.version_flag("--version", version_text);

  const bool implied_pack = means_pack(arguments);
  const std::string hint = command_hint(arguments, implied_pack);
  if (implied_pack) arguments.insert(arguments.begin(), "pack");
  try {
    if (const auto answer = program.parse(std::move(arguments))) {  // --help, --version
      std::cout << *answer;
      flush_output();
      return ExitCode::kDone;
    }
  } catch (const launch::CommandLineError& error) {
    throw usage_error(error, hint);
  }
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    if (!subcommands[i].given()) continue;
    if (environment.ranks.size > 1 && kCommands[i] != "pack") {
      throw UsageError("only pack is shared by several ranks: run this without mpirun");
    }
    const ExitCode code = commands[i]();
    flush_output();
    return code;
  }
  return ExitCode::kUsage;
}

/// Told of every failure: a process of its own prints it, a rank ends the whole job with it.
using OnFailure = std::function<void(ExitCode, const std::string&)>;

/// Runs, and turns what was thrown into a message and the exit code that stands for it.
ExitCode run(std::vector<std::string> arguments, const PackEnvironment& environment,
             const OnFailure& on_failure) {
  const auto failed = [&on_failure](ExitCode code, const std::string& message) {
    on_failure(code, message);
    return code;
  };
  try {
    return parse_and_run(std::move(arguments), environment);
  } catch (const UsageError& error) {
    return failed(ExitCode::kUsage, error.what());
  } catch (const InputError& error) {
    return failed(ExitCode::kInput, error.what());
  } catch (const OutputError& error) {
    return failed(ExitCode::kOutput, error.what());
  } catch (const launch::CommunicationError& error) {
    return failed(ExitCode::kCommunication, error.what());
  } catch (const Interrupted& interrupted) {
    failed(ExitCode::kInterrupted, interrupted.what());
    // All is cleaned up: end as the signal would have ended us, for the shell to see.
    std::signal(interrupted.signal, SIG_DFL);
    std::raise(interrupted.signal);
    return ExitCode::kInterrupted;
  } catch (const std::exception& error) {
    return failed(ExitCode::kDefect,
                  std::string("a defect of casvit-pack, please report it with the output of "
                              "casvit-pack --version: ") +
                      error.what());
  }
}

ExitCode run_alone(std::vector<std::string> arguments) {
  const PackEnvironment environment{PackRanks(), launch::usable_cores()};
  return run(std::move(arguments), environment,
             [](ExitCode, const std::string& message) { complain(message); });
}

/// As one of the ranks that a launcher started: the first speaks for all, and whoever fails ends
/// all.
ExitCode run_as_rank(std::vector<std::string> arguments) {
  std::optional<launch::World> world;
  try {
    world.emplace(launch::World::start());
  } catch (const std::exception& error) {
    complain(error.what());
    return ExitCode::kCommunication;
  }
  PackEnvironment environment;
  environment.ranks.rank = world->rank();
  environment.ranks.size = world->size();
  environment.ranks.all_gather = [&world](const std::string& mine) {
    return launch::all_gather_strings(world->communicator(), mine);
  };
  const int sharers = world->has_private_cores() ? 1 : world->local_size();
  environment.cores = std::max(1, launch::usable_cores() / sharers);
  std::ostringstream silence;
  std::streambuf* const output = std::cout.rdbuf();
  if (world->rank() > 0) std::cout.rdbuf(silence.rdbuf());
  const ExitCode code = run(
      std::move(arguments), environment,
      [&world](ExitCode failure, const std::string& message) { world->abort(failure, message); });
  std::cout.rdbuf(output);
  world->finish();
  return code;
}

}  // namespace
}  // namespace casvit::dataio

int main(int argc, char** argv) {
  // A file-size limit is then an error of write(): exit 6 with a message instead of a killed
  // process.
  std::signal(SIGXFSZ, SIG_IGN);
  casvit::dataio::explain_lost_mappings("casvit-pack",
                                        static_cast<int>(casvit::launch::ExitCode::kInput));
  const std::vector<std::string> arguments{argv + 1, argv + argc};
  const bool launched = casvit::launch::started_by_launcher();
  return static_cast<int>(launched ? casvit::dataio::run_as_rank(arguments)
                                   : casvit::dataio::run_alone(arguments));
}
