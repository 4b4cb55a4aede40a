#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/cli/commands.h"
#include "trainer/cli/model_arguments.h"
#include "trainer/engine/evaluate_checkpoint.h"
#include "trainer/report/judgement_json.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

struct Arguments : ModelArguments {
  EvaluateCheckpointOptions options;
  std::string against;
  std::vector<std::string> against_set;
  std::string against_use = "auto";
  bool json = false;
};

std::string json_of(const CheckpointEvaluation& result, const std::string& tta) {
  const Accuracy& accuracy = result.accuracy;
  std::string out =
      formatted(R"({"weights": "%s", "samples": %lld, "acc1": %.17g, "acc5": %.17g, "loss": %.17g)",
                result.is_ema ? "ema" : "model", static_cast<long long>(accuracy.samples),
                accuracy.acc1(), accuracy.acc5(), accuracy.loss);
  if (!tta.empty()) {
    out += formatted(R"(, "tta": "%s", "views": %d)", tta.c_str(), result.views);
  }
  if (result.against) {
    nlohmann::ordered_json against = {{"own_name", sanitize_utf8(result.against->own_name)},
                                      {"name", sanitize_utf8(result.against->name)}};
    against.update(paired_json(result.against->paired, result.against->classes));
    out += R"(, "against": )" + against.dump();
  }
  return out + "}\n";
}

std::string accuracy_text(const Judgement& one) {
  return formatted("top-1 %.2f%% (95%% interval %.2f to %.2f), top-5 %.2f%%, loss %.4f",
                   one.accuracy.acc1(), one.intervals.acc1.low, one.intervals.acc1.high,
                   one.accuracy.acc5(), one.accuracy.loss);
}

std::string against_text(const AgainstResult& against) {
  const PairedComparison& paired = against.paired;
  const Comparison& answers = paired.answers;
  constexpr double kSignificant = 0.05;
  return "this:  " + against.own_name + "\n       " + accuracy_text(paired.own) +
         "\nother: " + against.name + "\n       " + accuracy_text(paired.other) +
         formatted(
             "\ntop-1 difference %+.2f points (95%% interval %+.2f to %+.2f, paired bootstrap)\n"
             "right by this alone: %lld pictures, by the other alone: %lld; %s than chance "
             "explains (p = %.4g, exact McNemar test)\n",
             paired.own.accuracy.acc1() - paired.other.accuracy.acc1(), paired.difference.acc1.low,
             paired.difference.acc1.high, static_cast<long long>(answers.only_first),
             static_cast<long long>(answers.only_second),
             answers.p_value < kSignificant ? "more" : "no more", answers.p_value);
}

launch::ExitCode run(const Arguments& arguments, launch::World& world) {
  EvaluateCheckpointOptions options = arguments.options;
  options.use = arguments.weights();
  options.overrides = arguments.overrides();
  if (!arguments.against.empty()) {
    options.against = {arguments.against, weights_named(arguments.against_use),
                       parse_overrides(arguments.against_set), "--against-set"};
  }
  const CheckpointEvaluation result = evaluate_checkpoint(options, world);
  if (world.rank() != 0) {
    return launch::ExitCode::kDone;
  }
  if (arguments.json) {
    std::fputs(json_of(result, options.tta).c_str(), stdout);
    return launch::ExitCode::kDone;
  }
  const Accuracy& accuracy = result.accuracy;
  std::printf("%s weights: top-1 %.2f%%, top-5 %.2f%%, loss %.4f on %lld pictures\n",
              result.is_ema ? "ema" : "model", accuracy.acc1(), accuracy.acc5(), accuracy.loss,
              static_cast<long long>(accuracy.samples));
  if (!options.tta.empty()) {
    std::printf("%s: the mean of the probabilities of %d views of each picture\n",
                options.tta.c_str(), result.views);
  }
  if (result.against) {
    std::fputs(against_text(*result.against).c_str(), stdout);
  }
  if (!result.report.empty()) {
    std::printf("report: %s\n", result.report.c_str());
  }
  if (!result.note.empty()) {
    std::printf("%s\n", result.note.c_str());
  }
  return launch::ExitCode::kDone;
}

}  // namespace

void add_eval_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command =
      program.subcommand("eval", "Evaluate a checkpoint on packed pictures, or compare two");
  command.describe_when_asked(
      "Examples:\n"
      "  casvit_dist eval --checkpoint runs/a/checkpoints/best.safetensors --data photos.val.h5\n"
      "  mpirun -np 2 --bind-to none casvit_dist eval --checkpoint best.safetensors --data "
      "photos.val.h5 --out runs/e\n"
      "  casvit_dist eval --checkpoint best.safetensors --data photos.val.h5 --size 256 --tta "
      "hflip,five-crop\n"
      "  casvit_dist eval --checkpoint new.safetensors --against old.safetensors --data "
      "photos.val.h5 --out runs/e\n\n"
      "Every picture is counted once, whatever the number of ranks. Preprocessing and class names "
      "come\n"
      "from the checkpoint; each of two that are compared has its own. See docs/report.md.");
  const auto arguments = std::make_shared<Arguments>();
  command.option("--checkpoint", arguments->options.checkpoint, "Checkpoint (.safetensors)")
      .required();
  command.option("--data", arguments->options.data, "Files that casvit-pack wrote, or globs")
      .required();
  command.option("--out", arguments->options.out,
                 "Folder for report/; without it only the figures are printed");
  add_model_options(command, *arguments);
  command.option("--tta", arguments->options.tta,
                 "Test-time augmentation: hflip, vflip, five-crop, or several with commas; they "
                 "multiply. The mean of the views' probabilities counts");
  const launch::Option against = command.option(
      "--against", arguments->against, "Another checkpoint, to compare with on the same pictures");
  command.option("--against-use", arguments->against_use, "As --use, of the other")
      .one_of({"auto", "ema", "model"})
      .needs(against);
  command.option("--against-set", arguments->against_set, "As --set, of the other")
      .one_value_each_time()
      .needs(against);
  command.flag("--json", arguments->json, "Print one line of JSON");
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
