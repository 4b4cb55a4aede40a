#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launch/exit_code.h"
#include "launch/preflight/check.h"
#include "launch/preflight/collective_speed.h"
#include "launch/world.h"
#include "trainer/config/config.h"
#include "trainer/engine/preflight_checks.h"

namespace casvit::trainer {

/// What was found of a world before a job begins.
struct PreflightReport {
  PreflightFindings findings;
  std::vector<launch::Check> checks;
  /// all_reduce over all ranks; none where there is one rank alone.
  std::optional<launch::CollectiveSpeed> host_memory;
  std::optional<launch::CollectiveSpeed> gpu_memory;  ///< over NCCL, where ranks have GPUs
  launch::ExitCode code = launch::ExitCode::kDone;    ///< of the first check that failed
};

/// Looks at everything that a run of this configuration needs and trains nothing: hosts, cores,
/// devices, memory, disks, data, clocks, and how fast ranks exchange. Finds problems rather than
/// throwing them, and writes nothing. Collective; the same report on every rank.
/// @param run_folder where the run would write
/// @throws launch::CommunicationError
PreflightReport preflight(const Config& config, const std::string& run_folder,
                          launch::World& world);

/// One page for a person, lines that end in "\n".
std::string preflight_text(const PreflightReport& report);
/// The same as one line of JSON.
std::string preflight_json(const PreflightReport& report);

}  // namespace casvit::trainer
