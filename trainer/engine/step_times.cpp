#include "trainer/engine/step_times.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <utility>

namespace casvit::trainer {

StepTimes& StepTimes::operator+=(const StepTimes& other) {
  data += other.data;
  compute += other.compute;
  communication += other.communication;
  optimizer += other.optimizer;
  return *this;
}

std::vector<RankTimes> divide_times(const std::vector<std::vector<StepTimes>>& steps) {
  std::vector<RankTimes> times(steps.size());
  for (std::size_t step = 0; step < steps.front().size(); ++step) {
    double least = std::numeric_limits<double>::infinity();
    for (const std::vector<StepTimes>& rank : steps) {
      least = std::min(least, rank[step].communication);
    }
    for (std::size_t rank = 0; rank < steps.size(); ++rank) {
      times[rank].sum += steps[rank][step];
      const double idle = steps[rank][step].communication - least;
      times[rank].sum.communication -= idle;
      times[rank].idle += idle;
    }
  }
  return times;
}

std::vector<RankTimes> gather_times(launch::Communicator& communicator,
                                    const std::vector<StepTimes>& mine) {
  constexpr std::size_t kFigures = sizeof(StepTimes) / sizeof(double);
  const auto ranks = static_cast<std::size_t>(communicator.size());
  std::vector<StepTimes> all(mine.size() * ranks);
  communicator.announce("the times of an epoch's steps");
  communicator
      .all_gather(mine.data(), all.data(), mine.size() * kFigures, launch::ElementType::kFloat64)
      .wait();
  std::vector<std::vector<StepTimes>> steps;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(rank * mine.size());
    steps.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(mine.size()));
  }
  return divide_times(steps);
}

std::string describe_slowest(const std::vector<RankTimes>& times, std::int64_t steps) {
  std::size_t slowest = 0;
  double waited = 0;
  double total = 0;
  for (std::size_t rank = 0; rank < times.size(); ++rank) {
    if (times[rank].idle < times[slowest].idle) {
      slowest = rank;
    }
    waited += times[rank].idle;
    total += times[rank].sum.total() + times[rank].idle;
  }
  const RankTimes& its = times[slowest];
  const auto others = static_cast<double>(times.size() - 1);
  const double idle =
      (waited - its.idle - others * its.idle) / std::max(total - its.sum.total() - its.idle, 1e-9);

  // Why: where it spent most beyond what the others spend on average.
  using Part = std::pair<const char*, double StepTimes::*>;
  constexpr std::array<Part, 3> kParts{Part{"compute", &StepTimes::compute},
                                       Part{"data", &StepTimes::data},
                                       Part{"optimizer", &StepTimes::optimizer}};
  Part why = kParts[0];
  double largest = -1;
  for (const Part& part : kParts) {
    double sum = 0;
    for (const RankTimes& rank : times) {
      sum += rank.sum.*part.second;
    }
    const double excess = its.sum.*part.second - (sum - its.sum.*part.second) / others;
    if (excess > largest) {
      largest = excess;
      why = part;
    }
  }
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(),
                "slowest: rank %zu, %s %.3g s a step; the others waited for it %.0f%% of the time",
                slowest, why.first, its.sum.*why.second / static_cast<double>(steps),
                100 * std::max(idle, 0.0));
  return line.data();
}

}  // namespace casvit::trainer
