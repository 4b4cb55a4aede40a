#include "trainer/report/time_budget.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace casvit::trainer {
namespace {

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// Of the time in exchanges, what was waiting for ranks that came later.
double idle_share(const std::vector<RankMetrics>& ranks) {
  double idle = 0;
  double exchanging = 0;
  for (const RankMetrics& epoch : ranks) {
    idle += sum_of(epoch.idle_seconds);
    exchanging += sum_of(epoch.comm_exposed_seconds);
  }
  return idle + exchanging > 0 ? idle / (idle + exchanging) : 0;
}

double paused(const History& history, const std::string& on) {
  double seconds = 0;
  for (const PauseMetrics& pause : history.pauses) seconds += pause.on == on ? pause.seconds : 0;
  return seconds;
}

}  // namespace

TimeBudget time_budget(const History& history, double now) {
  TimeBudget budget;
  if (history.starts.empty()) return budget;
  double data = 0;
  double compute = 0;
  double exchanges = 0;
  double optimizer = 0;
  for (const StepMetrics& step : history.steps) {
    if (!step.seconds || !step.compute_seconds || !step.optimizer_seconds) return budget;
    budget.in_steps += *step.seconds;
    data += step.data_seconds;
    compute += *step.compute_seconds;
    exchanges += step.comm_exposed_seconds;
    optimizer += *step.optimizer_seconds;
  }
  double starting = 0;
  for (std::size_t i = 0; i < history.starts.size(); ++i) {
    const StartMetrics& start = history.starts[i];
    const bool last = i + 1 == history.starts.size();
    const double ended = last ? now : history.starts[i + 1].previous_ended;
    budget.seconds += std::max(0.0, ended - start.began);
    if (!last) budget.between_starts += std::max(0.0, history.starts[i + 1].began - ended);
    budget.lost_steps += start.lost_steps;
    starting += start.starting_seconds;
  }
  budget.starts = static_cast<std::int64_t>(history.starts.size());
  if (!(budget.seconds > 0) || !std::isfinite(budget.in_steps)) return {};
  const double idle = exchanges * idle_share(history.ranks);
  const double evaluation = paused(history, "evaluation");
  const double checkpoint = paused(history, "checkpoint");
  budget.shares = {{"compute", compute, true},
                   {"waiting for data", data, true},
                   {"communication", exchanges - idle, true},
                   {"waiting for other ranks", idle, true},
                   {"optimizer", optimizer, true},
                   {"rest of the steps",
                    std::max(0.0, budget.in_steps - data - compute - exchanges - optimizer), true},
                   {"evaluation", evaluation, false},
                   {"saving checkpoints", checkpoint, false},
                   {"writing the report", paused(history, "report"), false},
                   {"starting", starting, false}};
  // What no line tells of: steps that were lost, the last report, and the clock's jumps.
  double known = 0;
  for (const TimeShare& share : budget.shares) known += share.seconds;
  budget.shares.push_back({budget.lost_steps > 0 ? "lost steps, and the rest" : "the rest",
                           std::max(0.0, budget.seconds - known), false});
  budget.seconds = std::max(budget.seconds, known);
  return budget;
}

}  // namespace casvit::trainer
