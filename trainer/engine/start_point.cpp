#include "trainer/engine/start_point.h"

#include <filesystem>
#include <optional>
#include <vector>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/engine/run_folder.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

/// Continuing from an older checkpoint beside later ones would leave two runs in one folder.
void refuse_to_fork(const std::string& folder, const std::string& checkpoint) {
  if (!holds_a_run(folder)) {
    return;
  }
  const std::optional<std::string> newest = newest_checkpoint(folder, nullptr);
  if (!newest || read_checkpoint_info(*newest).step != read_checkpoint_info(checkpoint).step) {
    throw ConfigError(folder + " already holds a run, and " + checkpoint +
                      " is not its newest checkpoint; continue that run with --resume auto, or "
                      "start from this checkpoint in another folder with --out");
  }
}

/// Beginning again where checkpoints exist that cannot be read just now would write over them.
[[noreturn]] void refuse_to_start_over(const std::string& folder,
                                       const std::vector<std::string>& problems) {
  std::string text = "none of the checkpoints in " + folder + " can be read:";
  for (const std::string& problem : problems) {
    text += "\n  " + problem;
  }
  throw CheckpointError(text + "\nrepair or remove them, or start anew with another --out");
}

std::string newest_of(const std::string& folder, RunLog& log) {
  std::vector<std::string> warnings;
  std::string newest = newest_checkpoint(folder, &warnings).value_or("");
  if (newest.empty() && !warnings.empty()) {
    refuse_to_start_over(folder, warnings);
  }
  for (const std::string& warning : warnings) {
    log.line("warning: " + warning);
  }
  return newest;
}

std::string look(const TrainOptions& options, RunLog& log) {
  switch (options.resume) {
    case ResumeMode::kCheckpoint:
      refuse_to_fork(options.out, options.checkpoint);
      read_checkpoint_info(options.checkpoint);  // of all ranks this one says why it is none
      return options.checkpoint;
    case ResumeMode::kAuto:
      return newest_of(options.out, log);
    case ResumeMode::kNone:
      break;
  }
  if (holds_a_run(options.out)) {
    throw ConfigError(options.out +
                      " already holds a run; continue it with --resume auto, or choose "
                      "another folder with --out");
  }
  return {};
}

}  // namespace

std::string checkpoint_to_resume(const TrainOptions& options, launch::World& world, RunLog& log) {
  const std::string mine = world.rank() == 0 ? look(options, log) : "";
  std::string checkpoint = launch::all_gather_strings(world.communicator(), mine)[0];
  if (!checkpoint.empty() && !std::filesystem::exists(checkpoint)) {
    throw CheckpointError("rank 0's host has " + checkpoint +
                          ", this one does not, and every rank reads it; put the run folder where "
                          "all hosts see it, or copy it to each");
  }
  return checkpoint;
}

}  // namespace casvit::trainer
