#include <array>
#include <cmath>
#include <iostream>
#include <memory>
#include <optional>
#include <vector>

#include "dataio/commands/commands.h"
#include "dataio/commands/created_time.h"
#include "dataio/commands/json_text.h"
#include "dataio/commands/progress_line.h"
#include "dataio/commands/rejected_report.h"
#include "dataio/commands/signal_gate.h"
#include "dataio/commands/table.h"
#include "dataio/container/display.h"
#include "dataio/error.h"
#include "dataio/pack/packer.h"
#include "launch/threads.h"

namespace casvit::dataio {
namespace {

constexpr int kMaxWorkers = 1024;
constexpr std::size_t kRejectedShown = 10;
constexpr const char* kQuarantineWord = "quarantine";
constexpr const char* kFailWord = "fail";

/// What the command line says, as typed.
struct PackArguments {
  PackOptions options;
  std::optional<std::string> split;
  bool seed_given = false;
  std::vector<float> mean;
  std::vector<float> std;
  std::string on_error = kQuarantineWord;
  bool json = false;
};

std::array<float, 3> triple(const std::vector<float>& values, const char* option, bool positive) {
  std::array<float, 3> result{};
  for (std::size_t i = 0; i < 3; ++i) {
    result[i] = values.at(i);
    if (!std::isfinite(result[i]) || (positive && result[i] <= 0)) {
      throw UsageError(std::string(option) + " takes three finite numbers" +
                       (positive ? " above 0" : "") + ", for red, green and blue in [0, 1]");
    }
  }
  return result;
}

void complete_options(PackArguments& arguments) {
  PackOptions& options = arguments.options;
  if (arguments.split) options.split = parse_split(*arguments.split);
  options.on_error = arguments.on_error == kFailWord ? OnError::kFail : OnError::kQuarantine;
  if (options.split.empty() && arguments.seed_given) {
    throw UsageError("--seed chooses which pictures go to which part: it needs --split");
  }
  if (!arguments.mean.empty()) options.normalization.mean = triple(arguments.mean, "--mean", false);
  if (!arguments.std.empty()) options.normalization.std = triple(arguments.std, "--std", true);
  if (options.workers == 0) options.workers = launch::usable_cores();
  options.created = created_time();
}

nlohmann::ordered_json result_json(const PackResult& result) {
  auto files = nlohmann::ordered_json::array();
  for (const PackedFile& file : result.files) {
    files.push_back({{"path", file.path},
                     {"split", file.split},
                     {"samples", file.samples},
                     {"bytes", file.file_bytes},
                     {"index_hash", hash_text(file.index_hash)},
                     {"class_counts", file.class_counts}});
  }
  return {{"files", files},
          {"classes", result.classes},
          {"rejected", rejected_json(result.rejected)},
          {"ignored", {{"count", result.ignored}, {"examples", result.ignored_examples}}}};
}

void print_classes(const PackResult& result) {
  std::vector<std::vector<std::string>> rows{{"class"}};
  for (const PackedFile& file : result.files) {
    rows[0].push_back(result.files.size() > 1 ? file.split : "pictures");
  }
  for (std::size_t c = 0; c < result.classes.size(); ++c) {
    rows.push_back({display_path(result.classes[c])});
    for (const PackedFile& file : result.files) {
      rows.back().push_back(std::to_string(file.class_counts[c]));
    }
  }
  rows.push_back({"all " + std::to_string(result.classes.size()) + " classes"});
  for (const PackedFile& file : result.files) rows.back().push_back(std::to_string(file.samples));
  std::cout << table_text(rows) << "\n";
}

void print_left_out(const PackResult& result, const std::string& report) {
  if (!result.rejected.empty()) {
    std::cout << "\nrejected: " << result.rejected.size() << " (all in " << display_path(report)
              << ")\n";
    for (std::size_t i = 0; i < result.rejected.size() && i < kRejectedShown; ++i) {
      std::cout << "  " << display_path(result.rejected[i].path) << ": "
                << result.rejected[i].reason << "\n";
    }
    if (result.rejected.size() > kRejectedShown) {
      std::cout << "  and " << result.rejected.size() - kRejectedShown << " more\n";
    }
  }
  if (result.ignored == 0) return;
  std::cout << "\nignored: " << result.ignored << " not a picture by name (";
  for (std::size_t i = 0; i < result.ignored_examples.size(); ++i) {
    std::cout << (i > 0 ? ", " : "") << display_path(result.ignored_examples[i]);
  }
  std::cout << (result.ignored > result.ignored_examples.size() ? ", ...)\n" : ")\n");
}

void print_result(const PackResult& result, const std::string& report) {
  print_classes(result);
  std::vector<std::vector<std::string>> rows;
  for (const PackedFile& file : result.files) {
    rows.push_back({display_path(file.path), std::to_string(file.samples) + " pictures",
                    bytes_text(file.file_bytes)});
  }
  std::cout << table_text(rows);
  print_left_out(result, report);
}

launch::ExitCode run_pack(PackArguments& arguments) {
  complete_options(arguments);
  const SignalGate signals;
  ProgressLine line;
  const PackResult result = pack(
      arguments.options, [&](const std::string& phase, std::uint64_t done, std::uint64_t total) {
        signals.check();
        line.update(phase, done, total);
      });
  line.clear();
  const std::string report = write_rejected_report(arguments.options.output, result.rejected);
  if (arguments.json) {
    std::cout << json_text(result_json(result));
  } else {
    print_result(result, report);
  }
  return launch::ExitCode::kDone;
}

void declare_options(CLI::App& command, PackArguments& arguments) {
  PackOptions& options = arguments.options;
  command
      .add_option("SRC", options.source,
                  "folder with a folder of pictures for each class, or with train/ and val/ (or "
                  "validation/, test/) of such folders, which give a file each")
      ->required();
  command
      .add_option("-o,--output", options.output,
                  "file to write; several parts become OUT.train.h5, OUT.val.h5, ...")
      ->required();
  command.add_option("--split", arguments.split,
                     "cut the folder into parts, each class in the same proportions: "
                     "train=0.8,val=0.2");
  command
      .add_option_function<std::uint64_t>(
          "--seed",
          [&arguments](std::uint64_t seed) {
            arguments.options.seed = seed;
            arguments.seed_given = true;
          },
          "which pictures go to which part of --split (default 0)")
      ->type_name("UINT");
  command.add_option("--workers", options.workers, "threads (default: the cores there are)")
      ->check(CLI::Range(1, kMaxWorkers));
  command
      .add_option("--on-error", arguments.on_error,
                  "a broken picture is left out and listed in OUT.h5.rejected.json (quarantine, "
                  "the default), or ends the packing with exit code 3 (fail)")
      ->check(CLI::IsMember({kQuarantineWord, kFailWord}));
  command.add_flag("--allow-empty-classes", options.allow_empty_classes,
                   "keep classes without a usable picture instead of refusing them");
  command
      .add_option("--mean", arguments.mean,
                  "mean of red, green and blue in [0, 1], stored for training (default: ImageNet)")
      ->delimiter(',')
      ->expected(3)
      ->type_name("R,G,B");
  command
      .add_option("--std", arguments.std,
                  "standard deviation of red, green and blue (default: ImageNet)")
      ->delimiter(',')
      ->expected(3)
      ->type_name("R,G,B");
  command.add_flag("--json", arguments.json, "print the result as JSON");
}

}  // namespace

Command add_pack_command(CLI::App& app, const std::string& command_line) {
  CLI::App* command = app.add_subcommand(
      "pack",
      "Example: casvit-pack pack photos -o photos.h5 --split train=0.8,val=0.2\n\n"
      "Packs a folder of pictures (JPEG, PNG, WebP), byte for byte, into an HDF5 file that "
      "casvit_dist\ntrains on and h5py reads. Classes are the folders' names, sorted.");
  auto arguments = std::make_shared<PackArguments>();
  arguments->options.workers = 0;  // as many as there are cores
  arguments->options.tool_version = "casvit-pack " CASVIT_VERSION;
  arguments->options.command_line = command_line;
  declare_options(*command, *arguments);
  return [arguments] { return run_pack(*arguments); };
}

}  // namespace casvit::dataio
