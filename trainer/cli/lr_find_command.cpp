#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "launch/interruption.h"
#include "trainer/cli/commands.h"
#include "trainer/cli/run_arguments.h"
#include "trainer/engine/lr_find.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

struct Arguments : RunArguments {
  LrFindOptions options;
  bool json = false;
};

void print_json(const LrFindResult& result, const std::string& folder) {
  const nlohmann::ordered_json all = {{"suggested", result.suggestion.suggested},
                                      {"steepest", result.suggestion.steepest},
                                      {"lowest_tenth", result.suggestion.lowest_tenth},
                                      {"steps", result.trials.size()},
                                      {"csv", folder + "/lr_find.csv"},
                                      {"svg", folder + "/lr_find.svg"}};
  std::printf("%s\n", all.dump().c_str());
}

void print_text(const LrFindResult& result, const std::string& folder) {
  std::printf(
      "suggested: --set optimizer.learning_rate=%.2g\n"
      "  the loss fell fastest at %.2g; a tenth of where it was least is %.2g\n"
      "  %zu steps, up to %.2g; curve: %s/lr_find.svg, numbers: %s/lr_find.csv\n",
      result.suggestion.suggested, result.suggestion.steepest, result.suggestion.lowest_tenth,
      result.trials.size(), result.trials.back().learning_rate, folder.c_str(), folder.c_str());
}

launch::ExitCode run(const Arguments& arguments, launch::World& world) {
  LrFindOptions options = arguments.options;
  options.out = run_folder_of(arguments);
  if (options.from >= options.to) {
    throw ConfigError("--from must be below --to");
  }
  Config config = load_config_of(arguments);
  if (config.optimizer.base_batch_size > 0) {
    config.optimizer.base_batch_size = 0;  // what is found is for the batch that it is found with
    if (world.rank() == 0) {
      std::fprintf(stderr,
                   "the suggestion is for the global batch itself: use it with "
                   "optimizer.base_batch_size: 0\n");
    }
  }
  const LrFindResult result = find_learning_rate(config, options, world);
  if (result.interrupted) {
    return launch::ExitCode::kInterrupted;
  }
  if (world.rank() == 0) {
    (arguments.json ? print_json : print_text)(result, options.out);
  }
  return launch::ExitCode::kDone;
}

}  // namespace

void add_lr_find_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command =
      program.subcommand("lr-find", "Find a learning rate by a range test");
  command.describe_when_asked(
      "Examples:\n"
      "  casvit_dist lr-find --config recipe.yaml\n"
      "  mpirun -np 2 --bind-to none casvit_dist lr-find --config recipe.yaml --from 1e-5 --to 1 "
      "--steps 200\n\n"
      "Trains for some steps, with a learning rate that rises by a constant factor from one to "
      "the\n"
      "next, until the loss blows up, and suggests one from the curve. Nothing else is kept.");
  const auto arguments = std::make_shared<Arguments>();
  add_config_options(command, *arguments);
  command.option("--from", arguments->options.from, "Learning rate of the first step")
      .range(1e-12, 1e3)
      .show_default();
  command.option("--to", arguments->options.to, "Learning rate of the last step")
      .range(1e-12, 1e3)
      .show_default();
  command.option("--steps", arguments->options.steps, "Steps, at most")
      .range(20, 100000)
      .show_default();
  command.option("--out", arguments->out,
                 "Folder for lr_find.svg and lr_find.csv; runs/<name of the configuration> where "
                 "left out");
  command.flag("--json", arguments->json, "Print one line of JSON");
  command.on_given([arguments, &chosen] {
    const auto interruption = std::make_shared<launch::Interruption>();
    chosen = [arguments, interruption](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
