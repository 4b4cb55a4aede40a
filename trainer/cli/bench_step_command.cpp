#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/cli/commands.h"
#include "trainer/config/config.h"
#include "trainer/engine/bench_step.h"

namespace casvit::trainer {
namespace {

constexpr const char* kExample =
    "Examples:\n"
    "  mpirun -np 2 --bind-to none casvit_dist bench step --config configs/seedlings-xs-128.yaml\n"
    "  casvit_dist bench step --set model.name=rcvit_m --set model.image_size=224 --json\n\n"
    "Times whole training steps of a configuration on made-up pictures in memory: forward,\n"
    "backward, exchange between ranks, clipping, update, EMA. Without data and without a loader,\n"
    "which casvit_dist bench data times. Says where each rank's time went.";

struct Arguments {
  std::string config;
  std::vector<std::string> set;
  StepBenchOptions steps;
  bool json = false;
};

struct Part {
  const char* name;
  double seconds;
};

std::vector<Part> parts_of(const RankTimes& rank) {
  return {{"compute", rank.sum.compute},
          {"communication", rank.sum.communication},
          {"idle", rank.idle},
          {"optimizer", rank.sum.optimizer}};
}

void print_json(const Config& config, const StepBench& bench, int steps) {
  nlohmann::ordered_json ranks = nlohmann::ordered_json::array();
  for (std::size_t rank = 0; rank < bench.ranks.size(); ++rank) {
    nlohmann::ordered_json its = nlohmann::ordered_json::object();
    for (const Part& part : parts_of(bench.ranks[rank])) {
      its[std::string(part.name) + "_seconds"] = part.seconds / steps;
    }
    its["peak_bytes"] = bench.peak_bytes[rank];
    ranks.push_back(std::move(its));
  }
  const nlohmann::ordered_json all = {{"bench", "step"},
                                      {"images_per_second", bench.images_per_second},
                                      {"seconds_a_step", bench.seconds_a_step},
                                      {"exposed_share", bench.exposed_share},
                                      {"model", config.model.name},
                                      {"image_size", config.model.image_size},
                                      {"images_a_step", bench.images_a_step},
                                      {"parameters", bench.parameters},
                                      {"compute", bench.compute.describe()},
                                      {"threads_per_rank", bench.threads},
                                      {"bucket_bytes", bench.bucket_bytes},
                                      {"steps", steps},
                                      {"ranks", std::move(ranks)}};
  std::printf("%s\n", all.dump().c_str());
}

void print_table(const Config& config, const StepBench& bench, int steps) {
  std::printf("%s at %d pixels, %lld pictures a step, %zu rank%s x %d thread%s, %s\n\n",
              config.model.name.c_str(), config.model.image_size,
              static_cast<long long>(bench.images_a_step), bench.ranks.size(),
              bench.ranks.size() == 1 ? "" : "s", bench.threads, bench.threads == 1 ? "" : "s",
              bench.compute.describe().c_str());
  std::printf("%.1f images/s, %.4g s a step, %.1f%% of it exposed communication",
              bench.images_per_second, bench.seconds_a_step, 100 * bench.exposed_share);
  if (bench.ranks.size() > 1) {
    std::printf(" (buckets of %.1f MB)", static_cast<double>(bench.bucket_bytes) / 1e6);
  }
  std::printf("\n\nseconds a step, of %d steps\n%4s", steps, "rank");
  for (const Part& part : parts_of(bench.ranks.front())) {
    std::printf("  %13s", part.name);
  }
  std::printf("  %13s\n", "peak memory");
  for (std::size_t rank = 0; rank < bench.ranks.size(); ++rank) {
    std::printf("%4zu", rank);
    for (const Part& part : parts_of(bench.ranks[rank])) {
      std::printf("  %13.4f", part.seconds / steps);
    }
    std::printf("  %10.0f MB\n", static_cast<double>(bench.peak_bytes[rank]) / 1e6);
  }
}

launch::ExitCode run(const Arguments& arguments, launch::World& world) {
  std::vector<Override> overrides;
  for (const std::string& text : arguments.set) {
    overrides.push_back(parse_override(text));
  }
  const Config config = load_config(arguments.config, overrides);
  const StepBench bench = bench_step(config, arguments.steps, world);
  if (world.rank() == 0) {
    (arguments.json ? print_json : print_table)(config, bench, arguments.steps.steps);
  }
  return launch::ExitCode::kDone;
}

}  // namespace

void add_bench_step_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command =
      program.subcommand("step", "Whole training steps, and where their time goes");
  command.describe_when_asked(kExample);
  const auto arguments = std::make_shared<Arguments>();
  command.option("--config", arguments->config,
                 "Configuration in YAML; the defaults where left out");
  command.option("--set", arguments->set, "Override one key: key=value; may be repeated")
      .one_value_each_time();
  command.option("--steps", arguments->steps.steps, "Steps to time").positive().show_default();
  command
      .option("--warmup", arguments->steps.warmup,
              "Steps before them; more where the size of buckets is to be found")
      .not_negative()
      .show_default();
  command.flag("--json", arguments->json, "Print one line of JSON");
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
