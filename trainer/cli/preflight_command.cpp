#include <cstdio>
#include <memory>

#include "trainer/cli/commands.h"
#include "trainer/cli/run_arguments.h"
#include "trainer/engine/preflight.h"

namespace casvit::trainer {
namespace {

constexpr const char* kExample =
    "Examples:\n"
    "  casvit_dist preflight --config recipe.yaml\n"
    "  mpirun -np 16 --hostfile hosts --bind-to none casvit_dist preflight --config recipe.yaml "
    "--set launch.expect_hosts=2\n\n"
    "Looks at the world that a run of this configuration would get, and trains nothing: hosts and\n"
    "ranks, cores, GPUs, memory, disks, whether all ranks have the same program, configuration "
    "and\n"
    "data, how far clocks are apart, and how fast ranks exchange. Ends with 0, or with the code "
    "that\n"
    "a run would end with: 2 for another world or configuration, 3 for missing or different data, "
    "6 for\n"
    "a disk with no room for a checkpoint.";

struct Arguments : RunArguments {
  bool json = false;
};

launch::ExitCode run(const Arguments& arguments, launch::World& world) {
  const PreflightReport report =
      preflight(load_config_of(arguments), run_folder_of(arguments), world);
  if (world.rank() == 0) {
    std::fputs((arguments.json ? preflight_json(report) : preflight_text(report)).c_str(), stdout);
    // The launcher ends the job at the first rank that leaves with another code than 0.
    std::fflush(stdout);
  }
  return report.code;
}

}  // namespace

void add_preflight_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command =
      program.subcommand("preflight", "Check hosts, ranks, disks, data and network before a run");
  command.describe_when_asked(kExample);
  const auto arguments = std::make_shared<Arguments>();
  add_config_options(command, *arguments);
  add_out_option(command, *arguments);
  command.flag("--json", arguments->json, "Print one line of JSON");
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
