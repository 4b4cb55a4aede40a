#include <iostream>
#include <memory>
#include <vector>

#include "dataio/commands/commands.h"
#include "dataio/commands/json_text.h"
#include "dataio/commands/progress_line.h"
#include "dataio/commands/signal_gate.h"
#include "dataio/container/display.h"
#include "dataio/container/glob_paths.h"
#include "dataio/inspect/extract.h"
#include "launch/threads.h"

namespace casvit::dataio {
namespace {

constexpr int kMaxWorkers = 1024;

struct ExtractArguments {
  std::vector<std::string> files;
  std::string folder;
  int workers = 0;  ///< 0: as many as there are cores
  bool json = false;
};

void print_result(const ExtractResult& result, const std::string& folder) {
  std::cout << display_path(folder) << ": " << result.pictures << " pictures, "
            << bytes_text(result.bytes) << "\n";
  if (result.raw > 0) {
    std::cout << "  " << result.raw
              << " were stored as pixels, and are PNG files of the same pixels\n";
  }
  if (result.renamed > 0) {
    std::cout << "  " << result.renamed << " have names that cannot be used, and are called "
              << "sample-FILE-NUMBER:\n";
    for (const std::string& example : result.renamed_examples)
      std::cout << "    " << example << "\n";
  }
}

launch::ExitCode run_extract(const ExtractArguments& arguments) {
  const SignalGate signals;  // before any thread
  ProgressLine line;
  const ExtractResult result =
      extract(expand_files(arguments.files), arguments.folder,
              arguments.workers > 0 ? arguments.workers : launch::usable_cores(),
              [&](std::uint64_t done, std::uint64_t total) {
                signals.check();
                line.update("extracting", done, total);
              });
  line.clear();
  if (arguments.json) {
    std::cout << json_text({{"folder", arguments.folder},
                            {"pictures", result.pictures},
                            {"bytes", result.bytes},
                            {"raw", result.raw},
                            {"renamed", result.renamed},
                            {"renamed_examples", result.renamed_examples}});
  } else {
    print_result(result, arguments.folder);
  }
  return launch::ExitCode::kDone;
}

}  // namespace

Command add_extract_command(launch::CommandLine& program) {
  launch::CommandLine command = program.subcommand(
      "extract",
      "Example: casvit-pack extract photos.train.h5 photos.val.h5 -o photos\n\n"
      "Writes packed pictures back into a folder of class folders, byte for byte, under the names "
      "that\nthey were packed from. The folder must be new or empty, and appears when it is "
      "whole.");
  auto arguments = std::make_shared<ExtractArguments>();
  command.option("FILE", arguments->files, "packed files").required();
  command.option("-o,--output", arguments->folder, "the folder to make").required();
  command.option("--workers", arguments->workers, "threads (default: the cores there are)")
      .range(1, kMaxWorkers);
  command.flag("--json", arguments->json, "print the result as JSON");
  return [arguments] { return run_extract(*arguments); };
}

}  // namespace casvit::dataio
