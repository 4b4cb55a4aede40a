#include <iostream>
#include <memory>
#include <vector>

#include "dataio/commands/commands.h"
#include "dataio/commands/damaged_report.h"
#include "dataio/commands/json_text.h"
#include "dataio/commands/progress_line.h"
#include "dataio/container/display.h"
#include "dataio/container/glob_paths.h"
#include "dataio/error.h"
#include "dataio/inspect/verify.h"
#include "launch/threads.h"

namespace casvit::dataio {
namespace {

constexpr int kMaxWorkers = 1024;

struct VerifyArguments {
  std::vector<std::string> files;
  bool decode = false;
  int workers = 0;  ///< 0: as many as there are cores
  bool json = false;
};

/// One file, reported in `report` and on standard error. @returns whether it is whole.
bool verify_file(const std::string& file, const VerifyArguments& arguments, int workers,
                 nlohmann::ordered_json& report) {
  ProgressLine line;
  report["path"] = file;
  try {
    const VerifyResult result = verify_container(file, arguments.decode, workers,
                                                 [&line](std::uint64_t done, std::uint64_t total) {
                                                   line.update("verifying", done, total);
                                                 });
    line.clear();
    report["ok"] = result.damaged.empty();
    report["samples"] = result.samples;
    report["damaged"] = damaged_json(result.damaged);
    complain_about(result.damaged, display_path(file));
    if (!arguments.json) {
      std::cout << display_path(file) << ": " << result.samples << " samples, ";
      if (result.damaged.empty()) {
        std::cout << (arguments.decode ? "all whole and decodable\n" : "all whole\n");
      } else {
        std::cout << result.damaged.size() << " damaged\n";
      }
    }
    return result.damaged.empty();
  } catch (const InputError& error) {
    line.clear();
    report["ok"] = false;
    report["error"] = error.what();
    complain(error.what());
    return false;
  }
}

launch::ExitCode run_verify(const VerifyArguments& arguments) {
  const int workers = arguments.workers > 0 ? arguments.workers : launch::usable_cores();
  bool whole = true;
  auto reports = nlohmann::ordered_json::array();
  for (const std::string& file : expand_files(arguments.files)) {
    nlohmann::ordered_json report;
    whole = verify_file(file, arguments, workers, report) && whole;
    reports.push_back(std::move(report));
  }
  if (arguments.json) std::cout << json_text({{"ok", whole}, {"files", reports}});
  return whole ? launch::ExitCode::kDone : launch::ExitCode::kInput;
}

}  // namespace

Command add_verify_command(launch::CommandLine& program) {
  launch::CommandLine command = program.subcommand(
      "verify",
      "Example: casvit-pack verify photos.train.h5 photos.val.h5\n\n"
      "Checks packed files: their index, and every picture against the hash taken when it was "
      "packed.\nDamaged samples are named with their source; the exit code is then 3.");
  auto arguments = std::make_shared<VerifyArguments>();
  command.option("FILE", arguments->files, "packed files").required();
  command.flag("--decode", arguments->decode, "decode every picture too");
  command.option("--workers", arguments->workers, "threads (default: the cores there are)")
      .range(1, kMaxWorkers);
  command.flag("--json", arguments->json, "print the result as JSON");
  return [arguments] { return run_verify(*arguments); };
}

}  // namespace casvit::dataio
