#include "trainer/cli/commands.h"

namespace casvit::trainer {

void add_bench_command(CLI::App& app, std::optional<Command>& chosen) {
  CLI::App* command = app.add_subcommand("bench", "Measure a part of the trainer on this machine");
  describe_when_asked(*command,
                      "Example: casvit_dist bench data --data photos.train.h5\n\n"
                      "Measures a part of the trainer on this machine. Each has its own --help.");
  command->require_subcommand(1);
  add_bench_data_command(*command, chosen);
}

}  // namespace casvit::trainer
