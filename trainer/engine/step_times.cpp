#include "trainer/engine/step_times.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace casvit::trainer {

StepTimes& StepTimes::operator+=(const StepTimes& other) {
  data += other.data;
  compute += other.compute;
  communication += other.communication;
  optimizer += other.optimizer;
  return *this;
}

std::vector<StepTimes> gather_times(launch::Communicator& communicator, const StepTimes& mine) {
  std::vector<StepTimes> all(static_cast<std::size_t>(communicator.size()));
  communicator
      .all_gather(&mine, all.data(), sizeof(StepTimes) / sizeof(double),
                  launch::ElementType::kFloat64)
      .wait();
  return all;
}

std::string describe_slowest(const std::vector<StepTimes>& times, std::int64_t steps) {
  std::size_t slowest = 0;
  double waited = 0;
  double total = 0;
  for (std::size_t rank = 0; rank < times.size(); ++rank) {
    if (times[rank].communication < times[slowest].communication) {
      slowest = rank;
    }
    waited += times[rank].communication;
    total += times[rank].total();
  }
  const StepTimes& its = times[slowest];
  const auto others = static_cast<double>(times.size() - 1);
  const double idle = (waited - its.communication - others * its.communication) /
                      std::max(total - its.total(), 1e-9);

  // Why: where it spent most beyond what the others spend on average.
  using Part = std::pair<const char*, double StepTimes::*>;
  constexpr std::array<Part, 3> kParts{Part{"compute", &StepTimes::compute},
                                       Part{"data", &StepTimes::data},
                                       Part{"optimizer", &StepTimes::optimizer}};
  Part why = kParts[0];
  double largest = -1;
  for (const Part& part : kParts) {
    double sum = 0;
    for (const StepTimes& rank : times) {
      sum += rank.*part.second;
    }
    const double excess = its.*part.second - (sum - its.*part.second) / others;
    if (excess > largest) {
      largest = excess;
      why = part;
    }
  }
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(),
                "slowest: rank %zu, %s %.3g s a step; the others waited for it %.0f%% of the time",
                slowest, why.first, its.*why.second / static_cast<double>(steps),
                100 * std::max(idle, 0.0));
  return line.data();
}

}  // namespace casvit::trainer
