// casvit_dist: trains CAS-ViT and looks after what was trained, alone or under mpirun.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataio/container/lost_mapping.h"
#include "dataio/error.h"
#include "launch/command_line.h"
#include "launch/guard.h"
#include "trainer/cli/commands.h"
#include "trainer/engine/versions.h"
#include "trainer/error.h"

namespace {

using casvit::launch::ExitCode;

constexpr std::array<std::string_view, 4> kOwnOptions{"--help", "-h", "--help-all", "--version"};

ExitCode classify(const std::exception& error) {
  namespace trainer = casvit::trainer;
  namespace dataio = casvit::dataio;
  if (dynamic_cast<const trainer::ConfigError*>(&error) != nullptr ||
      dynamic_cast<const dataio::UsageError*>(&error) != nullptr) {
    return ExitCode::kUsage;
  }
  if (dynamic_cast<const trainer::CheckpointError*>(&error) != nullptr ||
      dynamic_cast<const dataio::InputError*>(&error) != nullptr) {
    return ExitCode::kInput;
  }
  if (dynamic_cast<const trainer::DivergedError*>(&error) != nullptr) {
    return ExitCode::kDiverged;
  }
  if (dynamic_cast<const trainer::OutputError*>(&error) != nullptr ||
      dynamic_cast<const dataio::OutputError*>(&error) != nullptr) {
    return ExitCode::kOutput;
  }
  return ExitCode::kDefect;
}

std::string version_text() {
  std::string text = "casvit_dist";
  const auto versions = casvit::trainer::versions();
  text.append(" ").append(versions.at("casvit")).append("\n");
  for (const auto& [name, version] : versions) {
    if (name != "casvit") {
      text.append("  ").append(name).append(": ").append(version).append("\n");
    }
  }
  return text;
}

/// `casvit_dist` alone, or followed by options, means `train`.
bool means_train(int count, char** arguments) {
  if (count < 2) {
    return true;
  }
  const std::string_view first = arguments[1];
  return first.starts_with("-") &&
         std::find(kOwnOptions.begin(), kOwnOptions.end(), first) == kOwnOptions.end();
}

/// Parses, and runs what was asked for.
int run(int count, char** values) {
  std::vector<std::string> arguments(values + 1, values + count);
  if (means_train(count, values)) {
    arguments.insert(arguments.begin(), "train");
  }

  casvit::launch::CommandLine program(
      "Example: mpirun -np 2 --bind-to none casvit_dist --config configs/quickstart.yaml\n\n"
      "Trains CAS-ViT on pictures packed by casvit-pack, on one rank or many. 'casvit_dist' "
      "without a\n"
      "command means 'casvit_dist train'.",
      "casvit_dist");
  program.footer(
      "Exit codes: 0 done, 2 usage or configuration, 3 an input file is at fault, 4 training "
      "diverged,\n"
      "5 communication failed, 6 an output could not be written, 70 a defect of ours, 75 "
      "interrupted.\n"
      "Each command has its own --help.");
  program.version_flag("--version", version_text, "Versions that a bug report needs");
  program.require_subcommand();
  program.help_column(28);
  std::optional<casvit::trainer::Command> chosen;
  casvit::trainer::add_train_command(program, chosen);
  casvit::trainer::add_eval_command(program, chosen);
  casvit::trainer::add_import_command(program, chosen);
  casvit::trainer::add_export_command(program, chosen);
  casvit::trainer::add_config_command(program, chosen);
  casvit::trainer::add_compare_command(program, chosen);
  casvit::trainer::add_lr_find_command(program, chosen);
  casvit::trainer::add_predict_command(program, chosen);
  casvit::trainer::add_preflight_command(program, chosen);
  casvit::trainer::add_bench_command(program, chosen);
  try {
    if (const auto answer = program.parse(std::move(arguments))) {
      std::fputs(answer->c_str(), stdout);
      return static_cast<int>(ExitCode::kDone);
    }
  } catch (const casvit::launch::CommandLineError& error) {
    std::fprintf(stderr, "casvit: %s; see casvit_dist --help\n", error.what());
    return static_cast<int>(ExitCode::kUsage);
  }
  return casvit::launch::run_in_world(*chosen, classify);
}

}  // namespace

int main(int count, char** values) {
  // A file-size limit is then an error of write(): exit 6 with a message instead of a killed rank.
  std::signal(SIGXFSZ, SIG_IGN);
  casvit::dataio::explain_lost_mappings("casvit", static_cast<int>(ExitCode::kInput));
  try {
    return run(count, values);
  } catch (const std::exception& error) {  // before the world was up
    std::fprintf(stderr, "casvit: internal error, please report it: %s\n", error.what());
    return static_cast<int>(ExitCode::kDefect);
  }
}
