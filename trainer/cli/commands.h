#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>

#include "launch/exit_code.h"
#include "launch/world.h"

namespace casvit::trainer {

/// What a command does once the ranks are there.
using Command = std::function<launch::ExitCode(launch::World&)>;

// Each adds its subcommand to `app` and, when that was given, puts into `chosen` what to run.

void add_train_command(CLI::App& app, std::optional<Command>& chosen);
void add_eval_command(CLI::App& app, std::optional<Command>& chosen);
void add_config_command(CLI::App& app, std::optional<Command>& chosen);

}  // namespace casvit::trainer
