#include "trainer/report/curve_points.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace casvit::trainer {

std::optional<TimeAxis> epochs_axis(const History& history) {
  if (history.epochs.empty() || history.epochs.back().epoch < 1) return std::nullopt;
  const EpochMetrics& last = history.epochs.back();
  return TimeAxis{std::max(1.0, static_cast<double>(last.step) / last.epoch), "epochs"};
}

BinnedSteps bin_steps(const std::vector<StepMetrics>& steps, const TimeAxis& time, std::size_t bins,
                      const std::function<double(const StepMetrics&)>& value) {
  BinnedSteps out;
  bins = std::min(bins, steps.size());
  for (std::size_t b = 0; b < bins; ++b) {
    const std::size_t first = b * steps.size() / bins;
    const std::size_t end = (b + 1) * steps.size() / bins;
    double sum = 0;
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    int finite = 0;
    for (std::size_t i = first; i < end; ++i) {
      const double y = value(steps[i]);
      if (!std::isfinite(y)) continue;
      sum += y;
      low = std::min(low, y);
      high = std::max(high, y);
      ++finite;
    }
    const double x = time(steps[end - 1].step);
    const double mean = finite > 0 ? sum / finite : std::numeric_limits<double>::quiet_NaN();
    out.mean.push_back({x, mean});
    if (finite > 0) out.spread.push_back({x, low, high});
  }
  return out;
}

std::vector<ChartPoint> evaluated_points(
    const History& history, const TimeAxis& time,
    const std::function<std::optional<double>(const EpochMetrics&)>& value) {
  std::vector<ChartPoint> points;
  for (const EpochMetrics& epoch : history.epochs) {
    if (const auto y = value(epoch)) points.push_back({time(epoch.step), *y});
  }
  return points;
}

}  // namespace casvit::trainer
