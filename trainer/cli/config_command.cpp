#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "dataio/container/dataset.h"
#include "dataio/error.h"
#include "trainer/cli/commands.h"
#include "trainer/config/data_options.h"
#include "trainer/config/field.h"
#include "trainer/config/origins.h"
#include "trainer/engine/run_folder.h"
#include "trainer/engine/schedule_plot.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

struct Arguments {
  std::string config;
  std::vector<std::string> set;
  std::string plot;
  std::int64_t samples = 0;
  bool keys = false;
  bool json = false;
};

template <typename T>
nlohmann::ordered_json to_json(const T& value) {
  return value;
}
template <typename T>
nlohmann::ordered_json to_json(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

/// One line: every key with its value, and who gave it ("default" for nobody).
std::string json_of(const LoadedConfig& loaded) {
  Config config = loaded.config;
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const Field& field : fields()) {
    const auto origin = loaded.origins.find(field.key);
    all[std::string(field.key)] = {
        {"value", std::visit([&](auto member) { return to_json(member(config)); }, field.member)},
        {"origin", origin == loaded.origins.end() ? "default" : origin->second}};
  }
  return all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// Training pictures: as given, or those of the data.
std::int64_t samples_of(const Config& config, std::int64_t given) {
  if (given > 0) {
    return given;
  }
  if (config.data.train.empty()) {
    throw ConfigError(
        "a plot needs to know how many training pictures there are: name data.train, or give "
        "--samples");
  }
  return static_cast<std::int64_t>(
      dataio::Dataset(config.data.train, dataset_options_of(config)).size());
}

launch::ExitCode run(const Arguments& arguments, launch::World& world) {
  if (arguments.keys) {
    if (world.rank() == 0) {
      std::fputs(config_reference().c_str(), stdout);
    }
    return launch::ExitCode::kDone;
  }
  std::vector<Override> overrides;
  for (const std::string& text : arguments.set) {
    overrides.push_back(parse_override(text));
  }
  const LoadedConfig loaded = load_config_with_origins(arguments.config, overrides);
  if (world.rank() != 0) {
    return launch::ExitCode::kDone;
  }
  if (arguments.plot.empty()) {
    std::fputs((arguments.json ? json_of(loaded) : to_yaml(loaded)).c_str(), stdout);
    return launch::ExitCode::kDone;
  }
  const std::int64_t samples = samples_of(loaded.config, arguments.samples);
  const dataio::StepTable steps(step_table_of(loaded.config, static_cast<std::uint64_t>(samples)));
  write_text_file(arguments.plot, schedule_svg(loaded.config, steps));
  std::printf("%s: %lld steps in %d epochs on %lld pictures\n", arguments.plot.c_str(),
              static_cast<long long>(steps.total_steps()), loaded.config.train.epochs,
              static_cast<long long>(samples));
  return launch::ExitCode::kDone;
}

}  // namespace

void add_config_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command =
      program.subcommand("config", "Print the effective configuration, or all keys");
  command.describe_when_asked(
      "Examples:\n"
      "  casvit_dist config --config configs/quickstart.yaml --set train.epochs=5\n"
      "  casvit_dist config --config recipe.yaml --plot schedules.svg\n"
      "  casvit_dist config --keys\n\n"
      "Prints the effective configuration (defaults, then the file, then --set) with the origin "
      "of each\n"
      "value, or every key, or draws what learning rate, weight decay and the other schedules "
      "do.");
  const auto arguments = std::make_shared<Arguments>();
  command.option("--config", arguments->config,
                 "Configuration in YAML; defaults alone where left out");
  command.option("--set", arguments->set, "Override one key: key=value; may be repeated")
      .one_value_each_time();
  command.option("--plot", arguments->plot, "Draw the schedules into this SVG file instead");
  command
      .option("--samples", arguments->samples,
              "Training pictures, for --plot; those of data.train where left out")
      .positive();
  command.flag("--keys", arguments->keys, "Every key with type, default and meaning (Markdown)");
  command.flag("--json", arguments->json, "Print one line of JSON: value and origin by key");
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
