#pragma once

#include <cstdint>
#include <vector>

#include "launch/communicator.h"

namespace casvit::launch {

/// One question to all and their answers: rank 0 asks, each rank looks at its clock once it has
/// heard, and rank 0 looks again once it has all answers. Nanoseconds since the epoch.
struct ClockRound {
  std::int64_t asked = 0;            ///< by rank 0's clock
  std::vector<std::int64_t> clocks;  ///< of every rank
  std::int64_t answered = 0;         ///< by rank 0's clock
};

/// By how much a rank's clock is ahead of rank 0's.
struct ClockSkew {
  double seconds = 0;
  double uncertainty_seconds = 0;  ///< the truth lies within so much of it, either way
};

/// Every rank's skew, from the round that took the shortest: a clock was read somewhere between
/// question and answer, so that the middle of the two is off by half their distance at most
/// (Cristian, "Probabilistic clock synchronization", 1989).
/// @param rounds at least one
std::vector<ClockSkew> clock_skews(const std::vector<ClockRound>& rounds);

/// Collective; some milliseconds. The same on every rank.
std::vector<ClockSkew> measure_clock_skews(Communicator& communicator);

}  // namespace casvit::launch
