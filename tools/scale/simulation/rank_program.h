#pragma once

#include <simgrid/s4u.hpp>
#include <string>
#include <vector>

#include "tools/scale/schedule/step_schedule.h"

namespace casvit::scale {

enum class Algorithm {
  kRing,              ///< NCCL's ring over all ranks
  kTree,              ///< NCCL's double tree; reduce_scatter and all_gather go round the ring
  kHierarchicalRing,  ///< node first, then a ring across nodes; scatter and gather: the ring
  kHierarchicalTree,  ///< node first, then trees across nodes; scatter and gather: the ring
  kHost,              ///< launch::MpiCommunicator
};

/// @throws std::invalid_argument naming the algorithms
Algorithm algorithm_of(const std::string& name);

struct ExchangeOptions {
  Algorithm algorithm = Algorithm::kRing;
  int ranks = 1;
  int ranks_per_node = 8;
  /// Each collective begins with it (NCCL: starting a kernel and finding each other).
  double launch_seconds = 0;
  /// Ranks compute for different times: standard deviation over mean, of a normal distribution cut
  /// at three deviations.
  double jitter = 0;
  unsigned seed = 1;
};

/// When things were over, from the start of the step, of the slowest rank; `exposed_seconds` of the
/// first one: its time in GradientReducer::finish, the exchange of norms and the gathering.
struct StepOutcome {
  double step_seconds = 0;
  double exposed_seconds = 0;
  double reduced_seconds = 0;  ///< buckets, tail and norms
};

/// Simulates one step of all ranks on the platform of `make_platform`; once a process, for SMPI
/// ends with it.
StepOutcome simulate_step(const StepSchedule& schedule, const ExchangeOptions& options,
                          const std::vector<simgrid::s4u::Host*>& hosts);

/// Simulates one collective alone. @returns its seconds
double simulate_transfer(const Transfer& transfer, const ExchangeOptions& options,
                         const std::vector<simgrid::s4u::Host*>& hosts);

}  // namespace casvit::scale
