#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>

#include "launch/exit_code.h"
#include "launch/world.h"

namespace casvit::trainer {

/// What a command does once the ranks are there.
using Command = std::function<launch::ExitCode(launch::World&)>;

/// Shows `text` (an example first) in the command's own --help; lists keep its short description.
inline void describe_when_asked(CLI::App& command, const char* text) {
  command.preparse_callback([&command, text](std::size_t) { command.description(text); });
}

// Each adds its subcommand to `app` and, when that was given, puts into `chosen` what to run.

void add_train_command(CLI::App& app, std::optional<Command>& chosen);
void add_eval_command(CLI::App& app, std::optional<Command>& chosen);
void add_config_command(CLI::App& app, std::optional<Command>& chosen);
void add_bench_command(CLI::App& app, std::optional<Command>& chosen);
/// `bench data`; `app` is `bench`.
void add_bench_data_command(CLI::App& app, std::optional<Command>& chosen);

}  // namespace casvit::trainer
