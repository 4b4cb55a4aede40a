#include <cstdio>
#include <memory>

#include "trainer/cli/commands.h"
#include "trainer/cli/model_arguments.h"
#include "trainer/engine/evaluate_checkpoint.h"

namespace casvit::trainer {
namespace {

struct Arguments : ModelArguments {
  EvaluateCheckpointOptions options;
  bool json = false;
};

launch::ExitCode run(const Arguments& arguments, launch::World& world) {
  EvaluateCheckpointOptions options = arguments.options;
  options.use = arguments.weights();
  options.overrides = arguments.overrides();
  const CheckpointEvaluation result = evaluate_checkpoint(options, world);
  if (world.rank() != 0) {
    return launch::ExitCode::kDone;
  }
  const Accuracy& accuracy = result.accuracy;
  const char* weights = result.is_ema ? "ema" : "model";
  if (arguments.json) {
    std::printf(
        "{\"weights\": \"%s\", \"samples\": %lld, \"acc1\": %.17g, \"acc5\": %.17g, \"loss\": "
        "%.17g}\n",
        weights, static_cast<long long>(accuracy.samples), accuracy.acc1(), accuracy.acc5(),
        accuracy.loss);
  } else {
    std::printf("%s weights: top-1 %.2f%%, top-5 %.2f%%, loss %.4f on %lld pictures\n", weights,
                accuracy.acc1(), accuracy.acc5(), accuracy.loss,
                static_cast<long long>(accuracy.samples));
    if (!result.report.empty()) {
      std::printf("report: %s\n", result.report.c_str());
    }
    if (!result.note.empty()) {
      std::printf("%s\n", result.note.c_str());
    }
  }
  return launch::ExitCode::kDone;
}

}  // namespace

void add_eval_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command =
      program.subcommand("eval", "Evaluate a checkpoint on packed pictures");
  command.describe_when_asked(
      "Examples:\n"
      "  casvit_dist eval --checkpoint runs/a/checkpoints/best.safetensors --data photos.val.h5\n"
      "  mpirun -np 2 --bind-to none casvit_dist eval --checkpoint best.safetensors --data "
      "photos.val.h5 --out runs/e\n\n"
      "Every picture is counted once, whatever the number of ranks. Preprocessing and class names "
      "come\n"
      "from the checkpoint.");
  const auto arguments = std::make_shared<Arguments>();
  command.option("--checkpoint", arguments->options.checkpoint, "Checkpoint (.safetensors)")
      .required();
  command.option("--data", arguments->options.data, "Files that casvit-pack wrote, or globs")
      .required();
  command.option("--out", arguments->options.out,
                 "Folder for report/; without it only the figures are printed");
  add_model_options(command, *arguments);
  command.flag("--json", arguments->json, "Print one line of JSON");
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
