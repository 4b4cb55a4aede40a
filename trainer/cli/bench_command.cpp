#include "trainer/cli/commands.h"

namespace casvit::trainer {

void add_bench_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command =
      program.subcommand("bench", "Measure a part of the trainer on this machine");
  command.describe_when_asked(
      "Examples:\n"
      "  casvit_dist bench data --data photos.train.h5\n"
      "  mpirun -np 2 --bind-to none casvit_dist bench comm\n\n"
      "Measures a part of the trainer on this machine. Each has its own --help.");
  command.require_subcommand();
  add_bench_data_command(command, chosen);
  add_bench_step_command(command, chosen);
  add_bench_comm_command(command, chosen);
}

}  // namespace casvit::trainer
