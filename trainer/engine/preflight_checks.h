#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/preflight/check.h"
#include "launch/preflight/clock_skew.h"
#include "launch/preflight/expected_world.h"
#include "trainer/config/config.h"
#include "trainer/engine/preflight_facts.h"

namespace casvit::trainer {

/// What a run of this configuration would take; zeros where model or data are not known.
struct RunNeeds {
  std::uint64_t parameters = 0;
  std::uint64_t checkpoint_bytes = 0;
  std::int64_t checkpoints = 0;      ///< files at once, at most
  std::uint64_t resident_bytes = 0;  ///< memory a rank, besides activations
  std::string problem;               ///< why these ranks cannot train it; empty where they can
};

/// All that preflight decides upon.
struct PreflightFindings {
  launch::WorldFound world;
  std::vector<RankFacts> ranks;           ///< in rank order, at least one
  std::vector<launch::ClockSkew> clocks;  ///< of every rank
  RunNeeds needs;
};

/// Every check, in the order in which their failures count: a job ends with the exit code of the
/// first. Depends on nothing but its arguments.
std::vector<launch::Check> preflight_checks(const Config& config,
                                            const PreflightFindings& findings);

}  // namespace casvit::trainer
