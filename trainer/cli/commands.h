#pragma once

#include <functional>
#include <optional>

#include "launch/command_line.h"
#include "launch/exit_code.h"
#include "launch/world.h"

namespace casvit::trainer {

/// What a command does once the ranks are there.
using Command = std::function<launch::ExitCode(launch::World&)>;

// Each adds its subcommand to `program` and, when that was given, puts into `chosen` what to run.

void add_train_command(launch::CommandLine& program, std::optional<Command>& chosen);
void add_eval_command(launch::CommandLine& program, std::optional<Command>& chosen);
void add_export_command(launch::CommandLine& program, std::optional<Command>& chosen);
void add_compare_command(launch::CommandLine& program, std::optional<Command>& chosen);
void add_config_command(launch::CommandLine& program, std::optional<Command>& chosen);
void add_lr_find_command(launch::CommandLine& program, std::optional<Command>& chosen);
void add_import_command(launch::CommandLine& program, std::optional<Command>& chosen);
void add_predict_command(launch::CommandLine& program, std::optional<Command>& chosen);
void add_preflight_command(launch::CommandLine& program, std::optional<Command>& chosen);
void add_bench_command(launch::CommandLine& program, std::optional<Command>& chosen);
// `bench data` and the others; `program` is `bench`.
void add_bench_comm_command(launch::CommandLine& program, std::optional<Command>& chosen);
void add_bench_data_command(launch::CommandLine& program, std::optional<Command>& chosen);
void add_bench_step_command(launch::CommandLine& program, std::optional<Command>& chosen);

}  // namespace casvit::trainer
