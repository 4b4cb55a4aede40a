#include "trainer/report/curves.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace casvit::trainer {
namespace {

constexpr std::size_t kBins = 240;

/// Steps as epochs, by the steps that an epoch has.
struct TimeAxis {
  double steps_per_unit = 1;
  std::string label = "steps";

  explicit TimeAxis(const History& history) {
    if (history.epochs.empty() || history.epochs.back().epoch < 1) return;
    const EpochMetrics& last = history.epochs.back();
    steps_per_unit = std::max(1.0, static_cast<double>(last.step) / last.epoch);
    label = "epochs";
  }
  double operator()(std::int64_t step) const { return static_cast<double>(step) / steps_per_unit; }
};

struct Binned {
  std::vector<ChartPoint> mean;
  std::vector<ChartBand> spread;
};

/// Means and extremes of equal numbers of steps; values that are not finite are left out of both,
/// and leave a gap where there are no others.
Binned bin(const std::vector<StepMetrics>& steps, const TimeAxis& time,
           const std::function<double(const StepMetrics&)>& value) {
  Binned out;
  const std::size_t bins = std::min(kBins, steps.size());
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

ChartSeries evaluated(const History& history, const TimeAxis& time, const std::string& name,
                      const std::string& tone,
                      const std::function<std::optional<double>(const EpochMetrics&)>& value) {
  constexpr std::size_t kMostDots = 40;
  ChartSeries series{name, tone, {}, false};
  for (const EpochMetrics& epoch : history.epochs) {
    if (const auto y = value(epoch)) series.points.push_back({time(epoch.step), *y});
  }
  series.dots = series.points.size() <= kMostDots;
  return series;
}

void add_where_any(Chart& chart, ChartSeries series) {
  if (!series.points.empty()) chart.series.push_back(std::move(series));
}

}  // namespace

std::vector<Chart> training_charts(const History& history) {
  const TimeAxis time(history);
  const auto chart = [&](const std::string& title, const std::string& unit, bool from_zero) {
    return Chart{title, time.label, {}, {}, from_zero, unit};
  };

  Chart loss = chart("Loss", "", false);
  Binned train = bin(history.steps, time, [](const StepMetrics& step) { return step.loss; });
  loss.band = std::move(train.spread);
  add_where_any(loss, {"training", "train", std::move(train.mean), false});
  add_where_any(loss, evaluated(history, time, "validation", "other",
                                [](const EpochMetrics& epoch) { return epoch.model_loss; }));
  add_where_any(loss, evaluated(history, time, "with EMA", "main",
                                [](const EpochMetrics& epoch) { return epoch.ema_loss; }));

  Chart accuracy = chart("Top-1 accuracy", "%", false);
  add_where_any(accuracy, evaluated(history, time, "model", "other",
                                    [](const EpochMetrics& epoch) { return epoch.model_acc1; }));
  add_where_any(accuracy, evaluated(history, time, "EMA", "main",
                                    [](const EpochMetrics& epoch) { return epoch.ema_acc1; }));

  Chart rate = chart("Learning rate", "", true);
  add_where_any(
      rate,
      {"learning rate", "main",
       bin(history.steps, time, [](const StepMetrics& step) { return step.lr; }).mean, false});

  Chart speed = chart("Images per second", "", true);
  add_where_any(speed, {"images per second", "main",
                        bin(history.steps, time,
                            [](const StepMetrics& step) { return step.images_per_second; })
                            .mean,
                        false});

  std::vector<Chart> charts;
  for (Chart* each : {&loss, &accuracy, &rate, &speed}) {
    if (!each->series.empty()) charts.push_back(std::move(*each));
  }
  return charts;
}

std::string curves_svg(const History& history) { return charts_svg(training_charts(history)); }

}  // namespace casvit::trainer
