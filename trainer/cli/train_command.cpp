#include <cstdio>
#include <memory>
#include <optional>

#include "launch/interruption.h"
#include "trainer/cli/commands.h"
#include "trainer/cli/run_arguments.h"
#include "trainer/engine/dry_run.h"
#include "trainer/engine/train.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

constexpr const char* kExample =
    "Examples:\n"
    "  casvit_dist train --config configs/quickstart.yaml\n"
    "  mpirun -np 2 --bind-to none casvit_dist --config recipe.yaml --set train.epochs=20 --out "
    "runs/a\n"
    "  mpirun -np 2 --bind-to none casvit_dist --config recipe.yaml --out runs/a --resume auto\n"
    "  mpirun -np 2 --bind-to none casvit_dist --config recipe.yaml --dry-run\n\n"
    "Trains CAS-ViT on files that casvit-pack wrote. The run folder gets checkpoints, metrics and "
    "a\n"
    "report. Keys of the configuration: casvit_dist config --keys.";

struct Arguments : RunArguments {
  std::string resume = "none";
  std::string trace;
  std::int64_t trace_steps = 10;
  bool dry_run = false;
  bool json = false;
};

TrainOptions options_of(const Arguments& arguments) {
  TrainOptions options;
  options.out = run_folder_of(arguments);
  if (arguments.resume == "auto") {
    options.resume = ResumeMode::kAuto;
  } else if (arguments.resume != "none") {
    options.resume = ResumeMode::kCheckpoint;
    options.checkpoint = arguments.resume;
  }
  options.trace = arguments.trace;
  options.trace_steps = arguments.trace_steps;
  return options;
}

launch::ExitCode run(const Arguments& arguments, launch::World& world) {
  const Config config = load_config_of(arguments);
  const TrainOptions options = options_of(arguments);
  if (!arguments.dry_run) {
    if (arguments.json) {
      throw ConfigError(
          "--json is for --dry-run; a run's figures are in metrics.jsonl and "
          "report/report.json of its folder");
    }
    return train(config, options, world);
  }
  const std::optional<RunEstimate> estimate = dry_run(config, options, world);
  if (!estimate) {
    return launch::ExitCode::kInterrupted;
  }
  if (world.rank() == 0) {
    std::fputs((arguments.json ? estimate_json(*estimate) : estimate_text(*estimate)).c_str(),
               stdout);
  }
  return launch::ExitCode::kDone;
}

}  // namespace

void add_train_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command = program.subcommand("train", "Train a model (the default command)");
  command.describe_when_asked(kExample);
  const auto arguments = std::make_shared<Arguments>();
  add_config_options(command, *arguments);
  command.option("--resume", arguments->resume,
                 "none (default), auto (continue the run in --out, or start it), or a checkpoint");
  add_out_option(command, *arguments);
  command.option("--trace", arguments->trace,
                 "Write a Chrome trace (JSON) of some steps of all ranks, from the third step on");
  command.option("--trace-steps", arguments->trace_steps, "Steps in it; 10 where left out")
      .positive();
  command.flag("--dry-run", arguments->dry_run,
               "Try a little of everything, leave nothing behind, and say what the run would take");
  command.flag("--json", arguments->json, "Print the dry run's figures as one line of JSON");
  command.on_given([arguments, &chosen] {
    // From before the ranks find each other until the last of them has left: a signal that ended
    // one of them in between would take the others, and what they are writing, along.
    const auto interruption = std::make_shared<launch::Interruption>();
    chosen = [arguments, interruption](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
