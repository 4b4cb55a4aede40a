#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/cli/commands.h"
#include "trainer/config/config.h"
#include "trainer/engine/bench_data.h"
#include "trainer/engine/check_world.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

constexpr const char* kExample =
    "Examples:\n"
    "  casvit_dist bench data --data photos.train.h5\n"
    "  casvit_dist bench data --data photos.train.h5 --config recipe.yaml --stages loader --json\n"
    "  mpirun -np 2 --bind-to none casvit_dist bench data --data photos.train.h5 --threads 4\n\n"
    "Measures how many pictures a second come out of each stage of the data path, with all stages\n"
    "before it: pread (bare reads, for comparison), read (hashes checked as data.verify says), "
    "decode, augment (crop,\n"
    "flip, ..., normalise), loader (whole batches, as training gets them), copy (memcpy of as "
    "many\n"
    "bytes, for comparison). Augmentation is that of the configuration. Rates are summed over\n"
    "ranks.";

struct Arguments {
  std::vector<std::string> data;
  std::string config;
  std::vector<std::string> set;
  std::vector<std::string> stages;
  int threads = 0;
  int image_size = 0;
  int batch_size = 0;
  double seconds = 3;
  bool json = false;
};

/// What the options shorten, in the words of the configuration.
Config config_of(const Arguments& arguments) {
  std::vector<Override> overrides;
  for (const std::string& text : arguments.set) {
    overrides.push_back(parse_override(text));
  }
  const auto shorten = [&](const char* key, int value) {
    if (value > 0) {
      overrides.push_back({key, std::to_string(value)});
    }
  };
  shorten("data.loader_threads", arguments.threads);
  shorten("model.image_size", arguments.image_size);
  shorten("batch.shard_size", arguments.batch_size);
  Config config = load_config(arguments.config, overrides);
  if (!arguments.data.empty()) {
    config.data.train = arguments.data;
  }
  if (config.data.train.empty()) {
    throw ConfigError(
        "no data: name the .h5 file that casvit-pack wrote, e.g. casvit_dist bench data --data "
        "photos.train.h5");
  }
  return config;
}

std::vector<dataio::BenchStage> stages_of(const Arguments& arguments) {
  std::vector<dataio::BenchStage> stages;
  for (const dataio::BenchStage stage : dataio::kBenchStages) {
    const auto& wanted = arguments.stages;
    if (wanted.empty() ||
        std::find(wanted.begin(), wanted.end(), dataio::bench_stage_name(stage)) != wanted.end()) {
      stages.push_back(stage);
    }
  }
  return stages;
}

void print_json(const dataio::Dataset& dataset, const dataio::DataBenchOptions& options,
                const std::vector<StageRates>& rates, int ranks) {
  nlohmann::ordered_json stages = nlohmann::ordered_json::object();
  for (const StageRates& rate : rates) {
    stages[std::string(dataio::bench_stage_name(rate.stage))] = {
        {"images_per_second", rate.images_per_second},
        {"images", rate.images},
        {"bytes_read_per_second", rate.bytes_read_per_second},
        {"bytes_written_per_second", rate.bytes_written_per_second}};
  }
  const auto loader = std::ranges::find(rates, dataio::BenchStage::kLoader, &StageRates::stage);
  const nlohmann::ordered_json rate = loader == rates.end()
                                          ? nlohmann::ordered_json(nullptr)
                                          : nlohmann::ordered_json(loader->images_per_second);
  const nlohmann::ordered_json all = {{"bench", "data"},
                                      {"images_per_second", rate},  // of the full pipeline
                                      {"samples", dataset.size()},
                                      {"ranks", ranks},
                                      {"threads_per_rank", options.threads},
                                      {"image_size", options.transform.image_size},
                                      {"batch_size", options.batch_size},
                                      {"stages", std::move(stages)}};
  std::printf("%s\n", all.dump().c_str());
}

void print_table(const dataio::Dataset& dataset, const dataio::DataBenchOptions& options,
                 const std::vector<StageRates>& rates, int ranks) {
  std::printf("%llu pictures to %d pixels, %d rank%s x %d thread%s, batches of %d\n\n",
              static_cast<unsigned long long>(dataset.size()), options.transform.image_size, ranks,
              ranks == 1 ? "" : "s", options.threads, options.threads == 1 ? "" : "s",
              options.batch_size);
  std::printf("%-8s  %12s  %12s  %12s\n", "stage", "images/s", "MB/s read", "MB/s written");
  for (const StageRates& rate : rates) {
    std::printf("%-8s  %12.0f  %12.1f  %12.1f\n",
                std::string(dataio::bench_stage_name(rate.stage)).c_str(), rate.images_per_second,
                rate.bytes_read_per_second / 1e6, rate.bytes_written_per_second / 1e6);
  }
}

launch::ExitCode run(const Arguments& arguments, launch::World& world) {
  const Config config = config_of(arguments);
  enter_world(config, world);
  const dataio::Dataset dataset(config.data.train, dataset_options_of(config));
  dataio::DataBenchOptions options;
  options.transform = train_transform_of(config, normalization_of(config, dataset));
  options.mixup = mixup_of(config, model_of(config, dataset.num_classes()).num_classes);
  options.seed = config.train.seed;
  options.threads = loader_threads_of(config, world.plan_threads(config.launch.threads).compute);
  options.batch_size = config.batch.shard_size;
  options.queue_batches = config.data.queue_batches;
  options.seconds = arguments.seconds;
  const std::vector<StageRates> rates = bench_data(dataset, options, stages_of(arguments), world);
  if (world.rank() == 0) {
    (arguments.json ? print_json : print_table)(dataset, options, rates, world.size());
  }
  return launch::ExitCode::kDone;
}

}  // namespace

void add_bench_data_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command = program.subcommand(
      "data", "Pictures a second through reading, decoding, augmenting, loading");
  command.describe_when_asked(kExample);
  const auto arguments = std::make_shared<Arguments>();
  command.option("--data", arguments->data,
                 "Files that casvit-pack wrote, or globs; data.train where left out");
  command.option("--config", arguments->config,
                 "Configuration in YAML, for its augmentation; defaults where left out");
  command.option("--set", arguments->set, "Override one key: key=value; may be repeated")
      .one_value_each_time();
  std::vector<std::string> names;
  for (const dataio::BenchStage stage : dataio::kBenchStages) {
    names.emplace_back(dataio::bench_stage_name(stage));
  }
  command.option("--stages", arguments->stages, "Which stages, separated by commas; all")
      .separated_by(',')
      .one_of(names);
  command
      .option("--threads", arguments->threads,
              "Decoding threads a rank; all of its cores where left out")
      .range(1, 1024);
  command.option("--image-size", arguments->image_size, "Side of the result, pixels")
      .range(32, 4096);
  command.option("--batch-size", arguments->batch_size, "Pictures a batch").range(1, 1 << 16);
  command.option("--seconds", arguments->seconds, "Time a stage")
      .range(0.01, 86400.0)
      .show_default();
  command.flag("--json", arguments->json, "Print one line of JSON");
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
