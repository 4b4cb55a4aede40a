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

namespace casvit::dataio {
namespace {

constexpr int kMaxWorkers = 1024;
constexpr std::size_t kRejectedShown = 10;
constexpr std::size_t kReasonsShown = 10;
/// A table of more classes shows the first few alone.
constexpr std::size_t kMostClassesShown = 100;
constexpr std::size_t kFewClassesShown = 20;
constexpr const char* kQuarantineWord = "quarantine";
constexpr const char* kFailWord = "fail";
constexpr int kMaxSide = 16384;
constexpr std::int64_t kMostPixels = std::int64_t{1} << 32;
constexpr const char* kListingText =
    "interrupted while the pictures were listed; nothing was written";
constexpr const char* kInterruptedText =
    "interrupted; what was packed is kept in hidden files beside the output: the same command "
    "continues, with --restart it begins anew";

/// What the command line says, as typed.
struct PackArguments {
  PackOptions options;
  std::vector<std::string> sources;
  std::optional<std::string> split;
  std::optional<launch::Option> seed;  ///< set when declared
  std::vector<float> mean;
  std::vector<float> std;
  std::string on_error = kQuarantineWord;
  bool fsync = false;
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

void check_storage(const StorageOptions& storage) {
  if (storage.raw > 0 && (storage.resize > 0 || storage.quality > 0 || storage.baseline)) {
    throw UsageError("--raw stores pixels: it does not go with --resize, --quality or --baseline");
  }
  if (storage.baseline && storage.resize == 0 && storage.quality > 0) {
    throw UsageError(
        "--quality without --resize encodes every picture anew: --baseline would have nothing to "
        "do");
  }
}

void complete_options(PackArguments& arguments, int cores) {
  PackOptions& options = arguments.options;
  if (arguments.split) options.split = parse_split(*arguments.split);
  options.on_error = arguments.on_error == kFailWord ? OnError::kFail : OnError::kQuarantine;
  if (arguments.fsync) options.durability = Durability::kOnDisk;
  if (options.split.empty() && arguments.seed->given()) {
    throw UsageError("--seed chooses which pictures go to which part: it needs --split");
  }
  if (options.split.empty() && !options.stratify) {
    throw UsageError("--no-stratify says how --split deals pictures: it needs --split");
  }
  options.source = arguments.sources.at(0);
  options.more_sources.assign(arguments.sources.begin() + 1, arguments.sources.end());
  check_storage(options.storage);
  if (!arguments.mean.empty()) options.normalization.mean = triple(arguments.mean, "--mean", false);
  if (!arguments.std.empty()) options.normalization.std = triple(arguments.std, "--std", true);
  if (options.workers == 0) options.workers = cores;
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
          {"continued", result.continued},
          {"ignored", {{"count", result.ignored}, {"examples", result.ignored_examples}}}};
}

void print_classes(const PackResult& result) {
  std::vector<std::vector<std::string>> rows{{"class"}};
  for (const PackedFile& file : result.files) {
    rows[0].push_back(result.files.size() > 1 ? file.split : "pictures");
  }
  const std::size_t shown =
      result.classes.size() <= kMostClassesShown ? result.classes.size() : kFewClassesShown;
  for (std::size_t c = 0; c < shown; ++c) {
    rows.push_back({display_path(result.classes[c])});
    for (const PackedFile& file : result.files) {
      rows.back().push_back(std::to_string(file.class_counts[c]));
    }
  }
  if (shown < result.classes.size()) {
    rows.push_back({"... (" + std::to_string(result.classes.size() - shown) +
                    " more: casvit-pack info, or --json)"});
  }
  rows.push_back({"all " + std::to_string(result.classes.size()) + " classes"});
  for (const PackedFile& file : result.files) rows.back().push_back(std::to_string(file.samples));
  std::cout << table_text(rows) << "\n";
}

void print_left_out(const PackResult& result, const std::string& report) {
  if (!result.rejected.empty()) {
    std::cout << "\nrejected: " << result.rejected.size() << " (all in " << display_path(report)
              << ")\n";
    const auto reasons = count_reasons(result.rejected);
    if (result.rejected.size() > kRejectedShown) {
      for (std::size_t i = 0; i < reasons.size() && i < kReasonsShown; ++i) {
        std::cout << "  " << reasons[i].second << " x " << reasons[i].first << "\n";
      }
      if (reasons.size() > kReasonsShown) {
        std::cout << "  and " << reasons.size() - kReasonsShown << " other reasons\n";
      }
      std::cout << "the first " << kRejectedShown << ":\n";
    }
    for (std::size_t i = 0; i < result.rejected.size() && i < kRejectedShown; ++i) {
      std::cout << "  " << display_path(result.rejected[i].path) << ": "
                << result.rejected[i].reason << "\n";
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

launch::ExitCode run_pack(PackArguments& arguments, const PackEnvironment& environment) {
  complete_options(arguments, environment.cores);
  const bool first = environment.ranks.rank == 0;
  const SignalGate signals;
  ProgressLine line;
  std::string report;
  PackOptions& options = arguments.options;
  options.on_continue = [&](std::uint64_t done, std::uint64_t total) {
    line.clear();
    std::cerr << "casvit-pack: continuing an interrupted packing: " << done << " of " << total
              << " pictures are done\n"
              << std::flush;
  };
  options.before_publish = [&](const PackResult& result) {
    report = write_rejected_report(options.output, result.rejected);
  };
  PackResult result;
  bool listing = true;
  try {
    result = pack(
        options,
        [&](const std::string& phase, std::uint64_t done, std::uint64_t total) {
          listing = phase == kListingPhase;
          signals.check();
          if (first) line.update(phase, done, total);
        },
        environment.ranks);
  } catch (const Interrupted& interrupted) {
    throw Interrupted(interrupted.signal, listing ? kListingText : kInterruptedText);
  }
  line.clear();
  if (!first) return launch::ExitCode::kDone;
  if (report.empty()) report = write_rejected_report(options.output, result.rejected);
  if (arguments.json) {
    std::cout << json_text(result_json(result));
  } else {
    print_result(result, report);
  }
  return launch::ExitCode::kDone;
}

void declare_storage_options(launch::CommandLine& command, StorageOptions& storage) {
  command
      .option("--resize", storage.resize,
              "make pictures whose short side is longer that small, and store them as JPEG; "
              "others stay as they are")
      .range(1, kMaxSide)
      .value_name("PIXELS");
  command
      .option("--quality", storage.quality,
              "JPEG quality of --resize (default 90); without --resize every picture is "
              "encoded anew")
      .range(1, 100);
  command
      .option("--raw", storage.raw,
              "store every picture as N x N pixels, not encoded: short side resized to N, "
              "centre kept")
      .range(1, kMaxSide)
      .value_name("PIXELS");
  command.flag("--baseline", storage.baseline,
               "turn progressive JPEGs into baseline ones of the same pixels, which decode "
               "faster");
  command
      .option("--max-pixels", storage.max_pixels,
              "reject pictures of more pixels from their header (default 178956970)")
      .range(std::int64_t{1}, kMostPixels);
}

void declare_options(launch::CommandLine& command, PackArguments& arguments) {
  PackOptions& options = arguments.options;
  command
      .option("SRC", arguments.sources,
              "folder with a folder of pictures for each class, or with train/ and val/ (or "
              "validation/, test/) of such folders, which give a file each; a list "
              "path,label[,split] (.csv, .tsv, .txt); or .tar archives")
      .required();
  command
      .option("-o,--output", options.output,
              "file to write; several parts become OUT.train.h5, OUT.val.h5, ...")
      .required();
  command.option("--split", arguments.split,
                 "cut the folder into parts, each class in the same proportions: "
                 "train=0.8,val=0.2");
  arguments.seed = command.option("--seed", options.seed,
                                  "which pictures go to which part of --split (default 0)");
  command.flag("!--no-stratify", options.stratify,
               "deal all pictures to the parts of --split together, not each class by itself");
  command.option("--root", options.list_root,
                 "folder that a list's relative paths start from (default: the list's own)");
  declare_storage_options(command, options.storage);
  command.option("--workers", options.workers, "threads (default: the cores there are)")
      .range(1, kMaxWorkers);
  command
      .option("--on-error", arguments.on_error,
              "a broken picture is left out and listed in OUT.h5.rejected.json (quarantine, "
              "the default), or ends the packing with exit code 3 (fail)")
      .one_of({kQuarantineWord, kFailWord});
  command.flag("--allow-empty-classes", options.allow_empty_classes,
               "keep classes without a usable picture instead of refusing them");
  command
      .option("--mean", arguments.mean,
              "mean of red, green and blue in [0, 1], stored for training (default: ImageNet)")
      .separated_by(',')
      .values(3)
      .value_name("R,G,B");
  command
      .option("--std", arguments.std,
              "standard deviation of red, green and blue (default: ImageNet)")
      .separated_by(',')
      .values(3)
      .value_name("R,G,B");
  command.flag(
      "--fsync", arguments.fsync,
      "end when the disk has it all, not only the system: a power cut within seconds of the "
      "end then costs nothing");
  command.flag("--restart", options.restart,
               "discard what an interrupted packing to this output left, instead of continuing "
               "it");
  command.flag("--json", arguments.json, "print the result as JSON");
}

}  // namespace

Command add_pack_command(launch::CommandLine& program, const std::string& command_line,
                         const PackEnvironment& environment) {
  launch::CommandLine command = program.subcommand(
      "pack",
      "Example: casvit-pack pack photos -o photos.h5 --split train=0.8,val=0.2\n\n"
      "Packs pictures (JPEG, PNG, WebP), byte for byte unless asked otherwise, into an HDF5 file "
      "that\ncasvit_dist trains on and h5py reads. Classes are the folders' names, sorted. A "
      "packing "
      "that was\ninterrupted is continued by the same command. Under mpirun the ranks share the "
      "work.");
  auto arguments = std::make_shared<PackArguments>();
  arguments->options.workers = 0;  // as many as there are cores
  arguments->options.tool_version = "casvit-pack " CASVIT_VERSION;
  arguments->options.command_line = command_line;
  declare_options(command, *arguments);
  return [arguments, &environment] { return run_pack(*arguments, environment); };
}

}  // namespace casvit::dataio
