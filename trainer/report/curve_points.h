#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "trainer/report/chart.h"
#include "trainer/report/metrics.h"

namespace casvit::trainer {

/// Steps on the x axis of a chart, or epochs by the steps that an epoch has.
struct TimeAxis {
  double steps_per_unit = 1;
  std::string label = "steps";

  double operator()(std::int64_t step) const { return static_cast<double>(step) / steps_per_unit; }
};

/// Nothing until the first epoch is complete.
std::optional<TimeAxis> epochs_axis(const History& history);

struct BinnedSteps {
  std::vector<ChartPoint> mean;
  std::vector<ChartBand> spread;
};

/// Means and extremes of up to `bins` equal numbers of steps; values that are not finite are left
/// out of both, and leave a gap where there are no others.
BinnedSteps bin_steps(const std::vector<StepMetrics>& steps, const TimeAxis& time, std::size_t bins,
                      const std::function<double(const StepMetrics&)>& value);

/// A value of each evaluation, where it was measured.
std::vector<ChartPoint> evaluated_points(
    const History& history, const TimeAxis& time,
    const std::function<std::optional<double>(const EpochMetrics&)>& value);

}  // namespace casvit::trainer
