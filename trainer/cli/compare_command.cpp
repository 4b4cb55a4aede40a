#include <cstdio>
#include <memory>

#include "trainer/cli/commands.h"
#include "trainer/compare/run_comparison.h"
#include "trainer/report/atomic_file.h"

namespace casvit::trainer {
namespace {

struct Arguments {
  std::vector<std::string> runs;
  std::string out;
  bool json = false;
};

launch::ExitCode run(const Arguments& arguments, const launch::World& world) {
  if (world.rank() != 0) {
    return launch::ExitCode::kDone;  // one reads and writes
  }
  const RunComparison comparison = compare_runs(arguments.runs);
  const std::string json = comparison_json(comparison);
  std::string page;
  if (!arguments.out.empty()) {
    make_folder(arguments.out);
    page = arguments.out + "/index.html";
    write_file_atomically(arguments.out + "/compare.json", json);
    write_file_atomically(page, comparison_page(comparison));
  }
  if (arguments.json) {
    std::fputs(json.c_str(), stdout);
    return launch::ExitCode::kDone;
  }
  std::fputs(comparison_text(comparison).c_str(), stdout);
  if (!page.empty()) {
    std::printf("\npage: %s\n", page.c_str());
  }
  return launch::ExitCode::kDone;
}

}  // namespace

void add_compare_command(launch::CommandLine& program, std::optional<Command>& chosen) {
  launch::CommandLine command = program.subcommand("compare", "Put runs side by side");
  command.describe_when_asked(
      "Examples:\n"
      "  casvit_dist compare runs/a runs/b\n"
      "  casvit_dist compare runs/* --out runs-side-by-side\n"
      "  casvit_dist compare runs/a runs/b --json\n\n"
      "Reads the folders that train leaves (or eval --out), finished or not: accuracies with "
      "intervals\n"
      "where there is a report, losses, speed, time, goodput, memory, and what differs in their\n"
      "configurations. --out writes a page with their curves over each other. See "
      "docs/compare.md.");
  const auto arguments = std::make_shared<Arguments>();
  command.option("runs", arguments->runs, "Run folders").required();
  command.option("--out", arguments->out,
                 "Folder for index.html, which draws the curves of up to 12 runs, and "
                 "compare.json");
  command.flag("--json", arguments->json, "Print one line of JSON");
  command.on_given([arguments, &chosen] {
    chosen = [arguments](launch::World& world) { return run(*arguments, world); };
  });
}

}  // namespace casvit::trainer
