#include <cstdio>
#include <memory>

#include "trainer/cli/commands.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

void add_config_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  struct Arguments {
    std::string config;
    std::vector<std::string> set;
    bool keys = false;
  };
  launch::CommandLine command =
      program.subcommand("config", "Print the effective configuration, or all keys");
  command.describe_when_asked(
      "Examples:\n"
      "  casvit_dist config --config configs/quickstart.yaml --set train.epochs=5\n"
      "  casvit_dist config --keys\n\n"
      "Prints the effective configuration (defaults, then the file, then --set), or every key.");
  const auto arguments = std::make_shared<Arguments>();
  command.option("--config", arguments->config,
                 "Configuration in YAML; defaults alone where left out");
  command.option("--set", arguments->set, "Override one key: key=value; may be repeated")
      .one_value_each_time();
  command.flag("--keys", arguments->keys, "Every key with type, default and meaning (Markdown)");
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) {
      std::vector<Override> overrides;
      for (const std::string& text : arguments->set) {
        overrides.push_back(parse_override(text));
      }
      const std::string text = arguments->keys
                                   ? config_reference()
                                   : to_yaml(load_config(arguments->config, overrides), true);
      if (world.rank() == 0) {
        std::fputs(text.c_str(), stdout);
      }
      return launch::ExitCode::kDone;
    };
  });
}

}  // namespace casvit::trainer
