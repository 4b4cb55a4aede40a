#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <vector>

#include "dataio/commands/commands.h"
#include "dataio/commands/damaged_report.h"
#include "dataio/commands/distribution_report.h"
#include "dataio/commands/json_text.h"
#include "dataio/commands/progress_line.h"
#include "dataio/commands/signal_gate.h"
#include "dataio/container/dataset.h"
#include "dataio/container/display.h"
#include "dataio/error.h"
#include "dataio/inspect/picture_statistics.h"
#include "dataio/inspect/store_statistics.h"
#include "launch/threads.h"

namespace casvit::dataio {
namespace {

constexpr int kMaxWorkers = 1024;
constexpr const char* kPixelsWord = "pixels";
constexpr const char* kPicturesWord = "pictures";

struct StatsArguments {
  std::vector<std::string> files;
  bool store = false;
  std::string kind;  ///< as given
  int workers = 0;   ///< 0: as many as there are cores
  bool json = false;
};

std::string values_text(const std::array<double, 3>& values) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.4f, %.4f, %.4f", values[0], values[1], values[2]);
  return text.data();
}

nlohmann::ordered_json channels_json(const ChannelStatistics& statistics) {
  return {{"mean", statistics.mean}, {"std", statistics.std}};
}

void print_statistics(const PictureStatistics& statistics) {
  std::cout << statistics.pictures << " pictures, " << statistics.pixels << " pixels; red, green, "
            << "blue in [0, 1]\n"
            << "  over all pixels       mean " << values_text(statistics.over_pixels.mean)
            << "   std " << values_text(statistics.over_pixels.std) << "\n"
            << "  means over pictures   mean " << values_text(statistics.per_picture.mean)
            << "   std " << values_text(statistics.per_picture.std) << "\n";
}

/// Nothing where the pictures are all of one colour, whose std training cannot divide by.
std::optional<Normalization> to_store(const PictureStatistics& statistics,
                                      const std::string& kind) {
  const ChannelStatistics& chosen =
      kind == kPicturesWord ? statistics.per_picture : statistics.over_pixels;
  Normalization normalization;
  for (std::size_t c = 0; c < 3; ++c) {
    normalization.mean[c] = static_cast<float>(chosen.mean[c]);
    normalization.std[c] = static_cast<float>(chosen.std[c]);
    if (normalization.std[c] <= 0) return std::nullopt;
  }
  return normalization;
}

nlohmann::ordered_json report_json(const PictureStatistics& statistics) {
  return {{"pictures", statistics.pictures},
          {"pixels", statistics.pixels},
          {"over_pixels", channels_json(statistics.over_pixels)},
          {"per_picture", channels_json(statistics.per_picture)},
          {"undecodable", damaged_json(statistics.undecodable)}};
}

/// What each file holds: printed, or returned as JSON.
nlohmann::ordered_json describe_files(const Dataset& dataset, Unfinished unfinished, bool print) {
  auto files = nlohmann::ordered_json::array();
  for (const std::string& file : dataset.files()) {
    const ContainerReader reader(file, unfinished);
    const SizeDistribution sizes = size_distribution(reader.index());
    files.push_back({{"path", file},
                     {"samples", reader.index().samples()},
                     {"sizes", sizes_json(sizes)},
                     {"classes", reader.index().class_names},
                     {"class_counts", reader.index().class_counts},
                     {"balance", balance_json(reader)}});
    if (!print) continue;
    std::cout << "\n" << display_path(file) << "\n" << sizes_text(sizes) << classes_text(reader);
  }
  return files;
}

/// What was measured is out before a file is changed: should that fail, it need not be measured
/// again. A signal waits until all files are whole again.
void store(const Dataset& dataset, const std::optional<Normalization>& normalization) {
  std::cout.flush();
  if (!std::cout) throw OutputError("cannot write to standard output; nothing was stored");
  if (!normalization) {
    throw InputError(
        "the pictures are all of one colour: their std is 0, which training cannot "
        "divide by; nothing was stored");
  }
  const SignalGate signals;
  store_statistics(dataset.files(), *normalization);
}

launch::ExitCode run_stats(const StatsArguments& arguments) {
  if (!arguments.kind.empty() && !arguments.store) {
    throw UsageError("--kind says which of the two --write stores: it needs --write");
  }
  const int workers = arguments.workers > 0 ? arguments.workers : launch::usable_cores();
  const Unfinished unfinished = arguments.store ? Unfinished::kAccept : Unfinished::kRefuse;
  const Dataset dataset(arguments.files, {.apply_orientation = false, .unfinished = unfinished});
  ProgressLine line;
  const PictureStatistics statistics = measure_pictures(
      dataset, workers,
      [&line](std::uint64_t done, std::uint64_t total) { line.update("measuring", done, total); });
  line.clear();
  complain_about(statistics.undecodable, "in these files");

  std::optional<Normalization> normalization;
  if (arguments.store) normalization = to_store(statistics, arguments.kind);
  nlohmann::ordered_json json = report_json(statistics);
  if (!arguments.json) print_statistics(statistics);
  json["files"] = describe_files(dataset, unfinished, !arguments.json);
  if (normalization) {
    json["stored"] = {{"kind", arguments.kind.empty() ? kPixelsWord : arguments.kind},
                      {"mean", normalization->mean},
                      {"std", normalization->std}};
  }
  if (arguments.json) std::cout << json_text(json);
  if (arguments.store) store(dataset, normalization);
  if (normalization && !arguments.json) {
    std::cout << "\nstored for training: mean " << triple_text(normalization->mean) << ", std "
              << triple_text(normalization->std) << "\n";
  }
  return statistics.undecodable.empty() ? launch::ExitCode::kDone : launch::ExitCode::kInput;
}

}  // namespace

Command add_stats_command(launch::CommandLine& program) {
  launch::CommandLine command = program.subcommand(
      "stats",
      "Example: casvit-pack stats photos.train.h5 --write\n\n"
      "Measures packed pictures: the mean and std of their channels, both over all pixels and as "
      "the\nmean of each picture's own, and their sizes, shapes and classes. Several files are "
      "measured as\none data set. Every picture is decoded.");
  auto arguments = std::make_shared<StatsArguments>();
  command.option("FILE", arguments->files, "packed files").required();
  command.flag("--write", arguments->store,
               "store the mean and std in the files, for training to normalise with");
  command
      .option("--kind", arguments->kind,
              "which of the two --write stores: pixels (default), or pictures")
      .one_of({kPixelsWord, kPicturesWord});
  command.option("--workers", arguments->workers, "threads (default: the cores there are)")
      .range(1, kMaxWorkers);
  command.flag("--json", arguments->json, "print the result as JSON");
  return [arguments] { return run_stats(*arguments); };
}

}  // namespace casvit::dataio
