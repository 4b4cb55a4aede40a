#include <cstdio>
#include <memory>

#include "trainer/cli/commands.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

void add_config_command(CLI::App& app, std::optional<Command>& chosen) {
  struct Arguments {
    std::string config;
    std::vector<std::string> set;
    bool keys = false;
  };
  CLI::App* command =
      app.add_subcommand("config", "Print the effective configuration, or all keys");
  describe_when_asked(
      *command,
      "Examples:\n"
      "  casvit_dist config --config configs/quickstart.yaml --set train.epochs=5\n"
      "  casvit_dist config --keys\n\n"
      "Prints the effective configuration (defaults, then the file, then --set), or every key.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--config", arguments->config,
                      "Configuration in YAML; defaults alone where left out");
  command->add_option("--set", arguments->set, "Override one key: key=value; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--keys", arguments->keys,
                    "Every key with type, default and meaning (Markdown)");
  command->callback([arguments, &chosen] {
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
