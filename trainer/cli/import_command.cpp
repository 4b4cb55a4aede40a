#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/checkpoint/quoted_name.h"
#include "trainer/cli/commands.h"
#include "trainer/import/import_weights.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

struct Arguments {
  ImportOptions options;
  std::string use = "auto";
  bool json = false;
};

/// "optimizer, scaler, args", with the number of the others where there are many.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : ", ") + escaped(names[i]);
  }
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

std::string architecture_text(const ImportReport& report) {
  if (report.features_only) return report.architecture + ", a backbone without classifier";
  return report.architecture + ", " + grouped(report.num_classes) + " classes, " +
         (report.distillation ? "two heads (distillation)" : "one head");
}

std::string notes_text(const CheckpointNotes& notes) {
  std::vector<std::string> parts;
  if (notes.epoch) parts.push_back("epoch " + *notes.epoch);
  for (const auto& [name, accuracy] : notes.accuracies) {
    parts.push_back(name + " " + shortest(accuracy));
  }
  if (notes.input_size) parts.push_back("input size " + std::to_string(*notes.input_size));
  return listed(parts);
}

void print_line(const char* label, const std::string& text) {
  if (!text.empty()) std::printf("  %-13s %s\n", label, text.c_str());
}

void print_page(const ImportOptions& options, const ImportReport& report) {
  std::printf("%s%s\n", options.source.c_str(),
              report.is_legacy ? " (in the form of PyTorch before 1.6)" : "");
  print_line("architecture", architecture_text(report));
  print_line("weights", std::string(report.is_ema ? "EMA" : "model") +
                            (report.key.empty() ? "" : " (" + report.key + ")") + ", " +
                            grouped(static_cast<long long>(report.tensors)) + " tensors, " +
                            grouped(report.parameters) + " parameters");
  if (report.difference) {
    const std::string where = report.difference->tensor;
    print_line("model and EMA", where.empty() ? "are the same"
                                              : "differ by up to " +
                                                    formatted("%.3g", report.difference->largest) +
                                                    ", in " + where);
  }
  print_line("noted in it", notes_text(report.notes));
  print_line("left out", listed(report.left_out));
  print_line("tensors too", listed(report.left_out_tensors));
  print_line("key prefix",
             report.removed_prefixes.empty() ? "" : "removed: " + listed(report.removed_prefixes));
  print_line("written", options.output);
  if (!report.features_only) {
    print_line("train with", "--set model.init=" + options.output +
                                 " --set model.name=" + report.architecture +
                                 (report.distillation ? " --set model.distillation=true" : ""));
  }
  for (const std::string& warning : report.warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
}

void print_json(const ImportOptions& options, const ImportReport& report) {
  using nlohmann::ordered_json;
  ordered_json json{{"source", options.source},
                    {"form", report.is_legacy ? "legacy" : "zip"},
                    {"architecture", report.architecture},
                    {"num_classes", report.num_classes},
                    {"distillation", report.distillation},
                    {"features_only", report.features_only},
                    {"weights", report.is_ema ? "ema" : "model"},
                    {"key", report.key},
                    {"tensors", report.tensors},
                    {"parameters", report.parameters}};
  json["epoch"] = report.notes.epoch ? ordered_json(*report.notes.epoch) : ordered_json(nullptr);
  json["accuracies"] = ordered_json::object();
  for (const auto& [name, accuracy] : report.notes.accuracies) json["accuracies"][name] = accuracy;
  json["input_size"] =
      report.notes.input_size ? ordered_json(*report.notes.input_size) : ordered_json(nullptr);
  json["ema_difference"] = nullptr;
  if (report.difference) {
    json["ema_difference"] = {{"largest", report.difference->largest},
                              {"tensor", report.difference->tensor}};
  }
  json["removed_prefixes"] = report.removed_prefixes;
  json["left_out"] = report.left_out;
  json["left_out_tensors"] = report.left_out_tensors;
  json["not_finite"] = report.not_finite;
  json["warnings"] = report.warnings;
  json["output"] = options.output;
  const std::string text = json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  std::printf("%s\n", text.c_str());
}

launch::ExitCode run(const Arguments& arguments, const launch::World& world) {
  if (world.rank() != 0) {
    return launch::ExitCode::kDone;
  }
  ImportOptions options = arguments.options;
  options.use = arguments.use == "model"       ? OfficialChoice::kModel
                : arguments.use == "model_ema" ? OfficialChoice::kModelEma
                                               : OfficialChoice::kAuto;
  const ImportReport report = import_weights(options);
  if (arguments.json) {
    print_json(options, report);
  } else {
    print_page(options, report);
  }
  return launch::ExitCode::kDone;
}

}  // namespace

void add_import_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command =
      program.subcommand("import", "Turn official CAS-ViT weights (.pth) into safetensors");
  command.describe_when_asked(
      "Examples:\n"
      "  casvit_dist import CAS-ViT-XS.pth -o rcvit_xs.safetensors\n"
      "  casvit_dist --config finetune.yaml --set model.init=rcvit_xs.safetensors\n\n"
      "Reads files of torch.save without executing anything in them: types that weights are not "
      "made of\n"
      "are refused. The size of the model is recognised by names and shapes.");
  const auto arguments = std::make_shared<Arguments>();
  command.option("official", arguments->options.source, "Official weights (.pth)").required();
  command
      .option("-o,--output", arguments->options.output,
              "Safetensors file to write; one that is there is replaced")
      .required();
  command
      .option("--use", arguments->use, "Weights: auto (EMA where there are any), model, model_ema")
      .one_of({"auto", "model", "model_ema"});
  command.flag("--json", arguments->json, "Print one line of JSON");
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
