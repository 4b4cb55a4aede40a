// The one command that knows training configurations: it shows what a recipe makes of pictures.

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "dataio/commands/commands.h"
#include "dataio/commands/json_text.h"
#include "dataio/commands/progress_line.h"
#include "dataio/container/display.h"
#include "dataio/error.h"
#include "dataio/image/png_writer.h"
#include "dataio/loader/loader.h"
#include "dataio/loader/step_table.h"
#include "dataio/preview/contact_sheet.h"
#include "launch/threads.h"
#include "trainer/config/data_options.h"
#include "trainer/error.h"

namespace casvit::dataio {
namespace {

using trainer::Config;

constexpr int kLargestCell = 224;  ///< pixels; larger pictures are shrunk
constexpr int kMostPictures = 4096;
constexpr std::size_t kColumnsOfAShard = 8;

struct PreviewArguments {
  std::vector<std::string> files;
  std::string out;
  std::string config;
  std::vector<std::string> set;
  std::vector<std::uint64_t> samples;  ///< empty: the first of the epoch
  int count = 8;
  int epoch = 1;
  int epochs = 5;
  std::int64_t step = 0;  ///< 0: rows of epochs
  std::int64_t shard = 1;
  bool json = false;
};

/// A picture augmented as the trainer does, where it stands in training.
struct Preview {
  const Config& config;
  const Dataset& data;
  Normalization normalization;
  std::vector<std::vector<SheetCell>> rows;
  std::string title;
  nlohmann::ordered_json report;
};

Config read_config(const PreviewArguments& arguments) {
  try {
    std::vector<trainer::Override> overrides;
    for (const std::string& text : arguments.set) {
      overrides.push_back(trainer::parse_override(text));
    }
    return trainer::load_config(arguments.config, overrides);
  } catch (const trainer::ConfigError& error) {
    throw UsageError(error.what());
  }
}

std::string class_name(const Dataset& data, std::int32_t label) {
  return data.class_names()[static_cast<std::size_t>(label)];
}

SheetCell original_cell(const Dataset& data, std::uint64_t sample) {
  std::vector<std::uint8_t> bytes;
  return {data.decode(sample, bytes),
          {class_name(data, data.label(sample)), "sample " + std::to_string(sample)}};
}

void require_samples(const std::vector<std::uint64_t>& samples, const Dataset& data) {
  for (const std::uint64_t sample : samples) {
    if (sample >= data.size()) {
      throw UsageError("there is no sample " + std::to_string(sample) + ": the data hold " +
                       std::to_string(data.size()) + ", counted from 0");
    }
  }
}

/// A row for each sample: the picture as it is, then as it comes in successive epochs.
void preview_epochs(const PreviewArguments& arguments, Preview& preview) {
  const auto options = trainer::train_transform_of(preview.config, preview.normalization);
  const auto first_epoch = static_cast<std::uint64_t>(arguments.epoch - 1);
  std::vector<std::uint64_t> samples = arguments.samples;
  require_samples(samples, preview.data);
  if (samples.empty()) {
    const SampleOrder order = trainer::sample_order_of(preview.config, preview.data);
    const auto count = std::min(static_cast<std::uint64_t>(arguments.count), preview.data.size());
    for (std::uint64_t p = 0; p < count; ++p) samples.push_back(order.at(first_epoch, p));
  }
  const auto size = static_cast<std::size_t>(options.image_size);
  std::vector<float> pixels(size * size * 3);
  auto listed = nlohmann::ordered_json::array();
  ProgressLine line;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    line.update("augmenting", i, samples.size());
    const std::uint64_t sample = samples[i];
    std::vector<SheetCell> row{original_cell(preview.data, sample)};
    const Image original = row[0].picture;
    for (int e = 0; e < arguments.epochs; ++e) {
      const std::uint64_t epoch = first_epoch + static_cast<std::uint64_t>(e);
      train_transform(original, options,
                      {.seed = preview.config.train.seed, .epoch = epoch, .sample = sample},
                      pixels.data());
      row.push_back({denormalized(pixels, options.image_size, preview.normalization),
                     {"epoch " + std::to_string(epoch + 1)}});
    }
    preview.rows.push_back(std::move(row));
    listed.push_back({{"sample", sample},
                      {"source", preview.data.source_path(sample)},
                      {"class", preview.data.label(sample)},
                      {"class_name", class_name(preview.data, preview.data.label(sample))}});
  }
  preview.title = "epochs " + std::to_string(arguments.epoch) + " to " +
                  std::to_string(arguments.epoch + arguments.epochs - 1) + ", " +
                  std::to_string(options.image_size) + " pixels";
  preview.report["image_size"] = options.image_size;
  preview.report["first_epoch"] = arguments.epoch;
  preview.report["epochs"] = arguments.epochs;
  preview.report["samples"] = std::move(listed);
}

/// The shares of the classes in a mixed target, above what smoothing gives all of them.
std::vector<std::pair<std::int32_t, double>> class_shares(std::span<const float> target,
                                                          double smoothing) {
  const double off = smoothing / static_cast<double>(target.size());
  std::vector<std::pair<std::int32_t, double>> shares;
  for (std::size_t c = 0; c < target.size(); ++c) {
    const double share = (static_cast<double>(target[c]) - off) / (1 - smoothing);
    if (share > 0.0005) shares.emplace_back(static_cast<std::int32_t>(c), share);
  }
  std::ranges::sort(shares, [](const auto& a, const auto& b) { return a.second > b.second; });
  return shares;
}

/// One shard of one step, mixed and of the step's image size.
Batch load_shard(const PreviewArguments& arguments, const Preview& preview,
                 const StepShape& shape) {
  const Config& config = preview.config;
  const SampleOrder order = trainer::sample_order_of(config, preview.data);
  BatchPlan plan;
  plan.epoch = static_cast<std::uint64_t>(shape.epoch);
  plan.step = static_cast<std::uint64_t>(arguments.step - 1);
  plan.shard = static_cast<std::uint64_t>(arguments.shard - 1);
  plan.image_size = shape.image_size;
  const std::int64_t first = shape.first + (arguments.shard - 1) * shape.shard_size;
  for (std::int64_t i = 0; i < shape.shard_size; ++i) {
    plan.samples.push_back(order.at(plan.epoch, static_cast<std::uint64_t>(first + i)));
  }
  const BatchSequence sequence = [&plan](std::uint64_t k) {
    return k == 0 ? std::optional(plan) : std::nullopt;
  };
  Loader loader(
      preview.data, sequence,
      trainer::loader_training_of(config, preview.normalization, preview.data.num_classes()),
      {.threads = launch::usable_cores(), .queue_batches = 1});
  return std::move(*loader.next());
}

StepShape shape_of_step(const PreviewArguments& arguments, const Preview& preview) {
  if (arguments.shard > preview.config.batch.shards) {
    throw UsageError("--shard " + std::to_string(arguments.shard) + ": a step has " +
                     std::to_string(preview.config.batch.shards) + " (batch.shards)");
  }
  const StepTable table(trainer::step_table_of(preview.config, preview.data.size()));
  if (arguments.step > table.total_steps()) {
    throw UsageError("--step " + std::to_string(arguments.step) + ": training has " +
                     std::to_string(table.total_steps()) + " steps");
  }
  return StepCursor(table).at(arguments.step - 1);
}

void preview_shard(const PreviewArguments& arguments, Preview& preview) {
  const StepShape shape = shape_of_step(arguments, preview);
  const Batch batch = load_shard(arguments, preview, shape);
  const auto size = static_cast<std::size_t>(batch.image_size);
  const auto classes = static_cast<std::size_t>(preview.data.num_classes());
  const std::size_t floats = size * size * 3;
  auto listed = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < batch.labels.size(); ++i) {
    if (i % kColumnsOfAShard == 0) preview.rows.emplace_back();
    const std::span pixels(batch.images.get() + i * floats, floats);
    SheetCell cell{denormalized(pixels, batch.image_size, preview.normalization), {}};
    auto shares = nlohmann::ordered_json::object();
    for (const auto& [label, share] :
         class_shares(std::span(batch.targets).subspan(i * classes, classes),
                      preview.config.loss.label_smoothing)) {
      const std::string name = class_name(preview.data, label);
      std::array<char, 16> percent{};
      std::snprintf(percent.data(), percent.size(), "%.0f%% ", share * 100);
      cell.lines.push_back((share > 0.9995 ? "" : percent.data()) + name);
      shares[name] = share;
    }
    listed.push_back({{"sample", batch.plan.samples[i]},
                      {"source", preview.data.source_path(batch.plan.samples[i])},
                      {"class", batch.labels[i]},
                      {"class_name", class_name(preview.data, batch.labels[i])},
                      {"shares", std::move(shares)}});
    preview.rows.back().push_back(std::move(cell));
  }
  preview.title = "step " + std::to_string(arguments.step) + " (epoch " +
                  std::to_string(shape.epoch + 1) + "), shard " + std::to_string(arguments.shard) +
                  " of " + std::to_string(preview.config.batch.shards) + ": " +
                  std::to_string(batch.labels.size()) + " x " + std::to_string(batch.image_size) +
                  " pixels";
  preview.report["image_size"] = batch.image_size;
  preview.report["step"] = arguments.step;
  preview.report["epoch"] = shape.epoch + 1;
  preview.report["shard"] = arguments.shard;
  preview.report["samples"] = std::move(listed);
}

launch::ExitCode run_preview(const PreviewArguments& arguments) {
  const Config config = read_config(arguments);
  const std::vector<std::string>& files =
      arguments.files.empty() ? config.data.train : arguments.files;
  if (files.empty()) {
    throw UsageError(
        "name a packed file, or a configuration that has data.train; for example: "
        "casvit-pack preview photos.train.h5 -o sheet.png");
  }
  const Dataset data(files, trainer::dataset_options_of(config));
  Preview preview{config, data, trainer::normalization_of(config, data), {}, {}, {}};
  preview.report = {{"sheet", arguments.out}, {"files", files}, {"seed", config.train.seed}};
  if (arguments.step > 0) {
    preview_shard(arguments, preview);
  } else {
    preview_epochs(arguments, preview);
  }
  const std::string title = files[0].substr(files[0].rfind('/') + 1) + ": " + preview.title +
                            ", seed " + std::to_string(config.train.seed);
  const int side = std::min(preview.report["image_size"].get<int>(), kLargestCell);
  const Image sheet = contact_sheet(title, preview.rows, side);
  write_png(arguments.out, sheet);
  if (arguments.json) {
    preview.report["width"] = sheet.width;
    preview.report["height"] = sheet.height;
    std::cout << json_text(preview.report);
  } else {
    std::cout << "wrote " << display_path(arguments.out) << " (" << sheet.width << " x "
              << sheet.height << " pixels)\n";
  }
  return launch::ExitCode::kDone;
}

}  // namespace

Command add_preview_command(launch::CommandLine& program) {
  launch::CommandLine command = program.subcommand(
      "preview",
      "Example: casvit-pack preview photos.train.h5 --config recipe.yaml -o sheet.png\n\n"
      "Draws pictures as the trainer will see them. A row shows a picture, and what augmentation "
      "makes of it\nin successive epochs; with --step it is one shard of a training step, after "
      "Mixup and CutMix. The\nrandom numbers are those of the training run with the same seed.");
  auto arguments = std::make_shared<PreviewArguments>();
  command.option("FILE", arguments->files,
                 "packed files; left out: data.train of the "
                 "configuration");
  command.option("-o,--out", arguments->out, "the sheet to write, a PNG").required();
  command.option("--config", arguments->config,
                 "training configuration (YAML); left out: the trainer's defaults");
  command
      .option("--set", arguments->set,
              "override one of its keys, e.g. --set augment.rand_augment=rand-m9; may be "
              "repeated")
      .one_value_each_time();
  const launch::Option step =
      command.option("--step", arguments->step, "show a shard of this training step, from 1")
          .positive();
  command.option("--shard", arguments->shard, "which of the step's shards, from 1")
      .positive()
      .needs(step);
  command
      .option("--sample", arguments->samples,
              "show this sample, from 0; may be repeated; left out: those that the epoch "
              "begins with")
      .one_value_each_time()
      .excludes(step);
  command.option("--count", arguments->count, "how many samples (8)")
      .range(1, kMostPictures)
      .excludes(step);
  command.option("--epoch", arguments->epoch, "the first epoch shown, from 1 (1)")
      .range(1, 1 << 24)
      .excludes(step);
  command.option("--epochs", arguments->epochs, "how many epochs (5)")
      .range(1, kMostPictures)
      .excludes(step);
  command.flag("--json", arguments->json, "print what was drawn as JSON");
  return [arguments] { return run_preview(*arguments); };
}

}  // namespace casvit::dataio
