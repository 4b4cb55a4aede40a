#pragma once

namespace casvit::launch {

/// The exit codes of both programs; docs/exit-codes.md says what a scheduler should do with each.
enum class ExitCode : int {
  kDone = 0,
  kUsage = 2,          ///< usage or configuration: do not retry
  kInput = 3,          ///< an input file missing, incomplete, corrupt or hostile: do not retry
  kDiverged = 4,       ///< training diverged: do not retry
  kCommunication = 5,  ///< communication failed or a peer was lost: retry
  kOutput = 6,         ///< a checkpoint or output could not be written: retry elsewhere
  kDefect = 70,        ///< a defect of ours: report
  kInterrupted = 75,   ///< interrupted, checkpoint saved: requeue
};

}  // namespace casvit::launch
