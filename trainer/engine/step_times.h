#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/world.h"

namespace casvit::trainer {

/// Where the seconds of one rank's steps went.
struct StepTimes {
  double data = 0;           ///< waiting for the loader
  double compute = 0;        ///< forward and backward
  double communication = 0;  ///< waiting for exchanges that backward did not hide, and for others
  double optimizer = 0;      ///< update and averaging

  double total() const { return data + compute + communication + optimizer; }
  StepTimes& operator+=(const StepTimes& other);
};

/// Everyone's times, in rank order; collective.
std::vector<StepTimes> gather_times(launch::Communicator& communicator, const StepTimes& mine);

/// One line that names the rank for which the others waited, and what took it longer than them:
/// "slowest: rank 1, compute 0.91 s a step; the others waited for it 4% of the time". Whoever waits
/// least in exchanges is the slowest; what another waits beyond that, it idles.
/// @param times of two or more ranks, @param steps that they made
std::string describe_slowest(const std::vector<StepTimes>& times, std::int64_t steps);

}  // namespace casvit::trainer
