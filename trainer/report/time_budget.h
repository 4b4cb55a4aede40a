#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/report/metrics.h"

namespace casvit::trainer {

/// One use of a run's time.
struct TimeShare {
  std::string name;
  double seconds = 0;
  bool trains = false;  ///< within a step that counts
};

/// Where the time of a run went, over all its starts, as rank 0 saw it.
struct TimeBudget {
  std::vector<TimeShare> shares;  ///< they add up to `seconds`
  double seconds = 0;             ///< that processes ran
  double in_steps = 0;            ///< of those, in steps that the weights of today are made of
  double between_starts = 0;      ///< between the end of a start and the next: not in `seconds`
  std::int64_t starts = 0;
  std::int64_t lost_steps = 0;  ///< made, and made again after a restart

  double goodput() const { return seconds > 0 ? in_steps / seconds : 0; }
};

/// @param now when the report is made, seconds since 1970
/// @returns a budget of 0 seconds where the history knows no starts or no times of steps
TimeBudget time_budget(const History& history, double now);

}  // namespace casvit::trainer
