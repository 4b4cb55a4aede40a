#include <ATen/Parallel.h>

#include <cstdio>
#include <memory>

#include "trainer/cli/commands.h"
#include "trainer/cli/model_arguments.h"
#include "trainer/export/export_model.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

struct Arguments : ModelArguments {
  ExportOptions options;
  std::string format;
  bool json = false;
};

void print(const Arguments& arguments, const ExportResult& result) {
  const bool is_onnx = arguments.options.format == ExportFormat::kOnnx;
  const char* weights = result.is_ema ? "ema" : "model";
  if (arguments.json) {
    std::string agreement;
    if (is_onnx) {
      agreement = formatted(R"(, "largest_difference": %.9g, "largest_logit": %.9g)",
                            result.largest_difference, result.largest_logit);
    }
    std::printf(
        "{\"format\": \"%s\", \"architecture\": \"%s\", \"classes\": %d, \"weights\": \"%s\", "
        "\"bytes\": %llu%s}\n",
        arguments.format.c_str(), result.architecture.c_str(), result.classes, weights,
        static_cast<unsigned long long>(result.bytes), agreement.c_str());
    return;
  }
  std::printf("%s: %s weights of %s, %d classes, %.1f MB\n", arguments.options.out.c_str(), weights,
              result.architecture.c_str(), result.classes, static_cast<double>(result.bytes) / 1e6);
  if (is_onnx) {
    std::printf(
        "read back and computed: logits differ from the model's by at most %.2g, the largest is "
        "%.3g\n",
        result.largest_difference, result.largest_logit);
  }
}

launch::ExitCode run(const Arguments& given, const launch::World& world) {
  if (world.rank() != 0) {
    return launch::ExitCode::kDone;  // one writes the file
  }
  Arguments arguments = given;
  ExportOptions& options = arguments.options;
  options.format = arguments.format == "onnx" ? ExportFormat::kOnnx : ExportFormat::kSafetensors;
  options.use = arguments.weights();
  options.overrides = arguments.overrides();
  at::set_num_threads(1);  // the check is small; threads would mostly wait where cores are shared
  print(arguments, export_model(options));
  return launch::ExitCode::kDone;
}

}  // namespace

void add_export_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command =
      program.subcommand("export", "Write a model for use elsewhere, as ONNX or safetensors");
  command.describe_when_asked(
      "Examples:\n"
      "  casvit_dist export --checkpoint runs/a/checkpoints/best.safetensors --format onnx -o "
      "photos.onnx\n"
      "  casvit_dist export --checkpoint best.safetensors --format safetensors -o "
      "photos.safetensors\n\n"
      "Preprocessing and class names go along as metadata. An ONNX file is read back and computed "
      "before it\n"
      "gets its name: its logits must be the model's. See docs/export.md.");
  const auto arguments = std::make_shared<Arguments>();
  command
      .option("--checkpoint", arguments->options.checkpoint,
              "Checkpoint, or weights (.safetensors)")
      .required();
  command.option("--format", arguments->format, "onnx, or safetensors: weights alone")
      .required()
      .one_of({"onnx", "safetensors"});
  command.option("-o,--output", arguments->options.out, "File to write").required();
  add_model_options(command, *arguments);
  command.flag("--json", arguments->json, "Print one line of JSON");
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
