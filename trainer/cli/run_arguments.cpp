#include "trainer/cli/run_arguments.h"

#include <filesystem>

#include "trainer/error.h"

namespace casvit::trainer {

void add_config_options(launch::CommandLine& command, RunArguments& arguments) {
  command.option("--config", arguments.config,
                 "Configuration in YAML; ./casvit.yaml where left out");
  command.option("--set", arguments.set, "Override one key: key=value; may be repeated")
      .one_value_each_time();
}

void add_out_option(launch::CommandLine& command, RunArguments& arguments) {
  command.option("--out", arguments.out,
                 "Run folder; runs/<name of the configuration> where left out");
}

Config load_config_of(const RunArguments& arguments) {
  std::string path = arguments.config;
  if (path.empty()) {
    path = "casvit.yaml";
    if (!std::filesystem::exists(path)) {
      throw ConfigError(
          "no configuration: give one with --config (there is no ./casvit.yaml either), for "
          "example\n"
          "  casvit_dist --config configs/quickstart.yaml --set data.train=photos.train.h5 --set "
          "data.val=photos.val.h5");
    }
  }
  std::vector<Override> overrides;
  for (const std::string& text : arguments.set) {
    overrides.push_back(parse_override(text));
  }
  return load_config(path, overrides);
}

std::string run_folder_of(const RunArguments& arguments) {
  if (!arguments.out.empty()) {
    return arguments.out;
  }
  const std::string name =
      arguments.config.empty() ? "casvit" : std::filesystem::path(arguments.config).stem().string();
  return "runs/" + name;
}

}  // namespace casvit::trainer
