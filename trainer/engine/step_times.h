#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/communicator.h"

namespace casvit::trainer {

/// Where the seconds of one rank's step went.
struct StepTimes {
  double data = 0;           ///< waiting for the loader
  double compute = 0;        ///< forward and backward
  double communication = 0;  ///< waiting for exchanges that backward did not hide, and for others
  double optimizer = 0;      ///< clipping, update and averaging

  double total() const { return data + compute + communication + optimizer; }
  StepTimes& operator+=(const StepTimes& other);
};

/// The seconds of one rank's steps, with what it waited for others apart.
struct RankTimes {
  StepTimes sum;    ///< its communication is what exchanges took after the last rank had come
  double idle = 0;  ///< waiting in exchanges for ranks that came later
};

/// Everyone's times, in rank order, from the steps that all made together. In a step the rank that
/// waits least in exchanges came last; what another waits beyond that, it idled.
/// @param steps of each rank, in rank order; all of one length
std::vector<RankTimes> divide_times(const std::vector<std::vector<StepTimes>>& steps);

/// The same with `mine` of every rank; collective.
std::vector<RankTimes> gather_times(launch::Communicator& communicator,
                                    const std::vector<StepTimes>& mine);

/// One line that names the rank for which the others waited, and what took it longer than them:
/// "slowest: rank 1, compute 0.91 s a step; the others waited for it 4% of the time".
/// @param times of two or more ranks, @param steps that they made
std::string describe_slowest(const std::vector<RankTimes>& times, std::int64_t steps);

}  // namespace casvit::trainer
