#include "trainer/compare/comparison_charts.h"

#include <algorithm>
#include <functional>

#include "trainer/compare/run_tones.h"
#include "trainer/report/curve_points.h"

namespace casvit::trainer {
namespace {

constexpr std::size_t kBins = 120;
constexpr std::size_t kMostEvaluations = 300;

using Points = std::function<std::vector<ChartPoint>(const History&, const TimeAxis&)>;

Points of_steps(const std::function<double(const StepMetrics&)>& value) {
  return [value](const History& history, const TimeAxis& time) {
    return bin_steps(history.steps, time, kBins, value).mean;
  };
}

using Measured = std::optional<double> EpochMetrics::*;

/// Of the EMA where the run has one. Of very many every second, third, ...; the last is kept.
Points of_evaluations(Measured ema, Measured model) {
  return [ema, model](const History& history, const TimeAxis& time) {
    const bool has_ema = std::ranges::any_of(
        history.epochs, [&](const EpochMetrics& epoch) { return (epoch.*ema).has_value(); });
    const Measured measured = has_ema ? ema : model;
    const std::vector<ChartPoint> all =
        evaluated_points(history, time, [&](const EpochMetrics& epoch) { return epoch.*measured; });
    const std::size_t every = all.size() / kMostEvaluations + 1;
    std::vector<ChartPoint> points;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if ((all.size() - 1 - i) % every == 0) points.push_back(all[i]);
    }
    return points;
  };
}

struct Curve {
  Chart chart;
  Points points;
};

std::vector<Curve> curves(const std::string& x_label) {
  const auto chart = [&](const std::string& title, const std::string& unit, bool from_zero) {
    return Chart{title, x_label, {}, {}, from_zero, unit};
  };
  return {
      {chart("Training loss", "", false),
       of_steps([](const StepMetrics& step) { return static_cast<double>(step.loss); })},
      {chart("Validation loss", "", false),
       of_evaluations(&EpochMetrics::ema_loss, &EpochMetrics::model_loss)},
      {chart("Top-1 accuracy", "%", false),
       of_evaluations(&EpochMetrics::ema_acc1, &EpochMetrics::model_acc1)},
      {chart("Learning rate", "", true), of_steps([](const StepMetrics& step) { return step.lr; })},
      {chart("Images per second", "", true),
       of_steps([](const StepMetrics& step) { return step.images_per_second; })}};
}

}  // namespace

std::vector<Chart> comparison_charts(const RunComparison& comparison, Progression progression) {
  const bool by_epochs = progression == Progression::kEpochs;
  std::vector<Chart> charts;
  for (Curve& curve : curves(by_epochs ? "epochs" : "steps")) {
    for (std::size_t i = 0; i < std::min(comparison.runs.size(), kMostRunsDrawn); ++i) {
      const History& history = comparison.runs[i].history;
      const std::optional<TimeAxis> time = by_epochs ? epochs_axis(history) : TimeAxis{};
      if (!time) continue;
      std::vector<ChartPoint> points = curve.points(history, *time);
      if (points.empty()) continue;
      ChartSeries series{comparison.summaries[i].name, run_tone(i), std::move(points), false};
      series.label = std::to_string(i + 1);
      series.dots = series.points.size() == 1;
      curve.chart.series.push_back(std::move(series));
    }
    if (!curve.chart.series.empty()) charts.push_back(std::move(curve.chart));
  }
  return charts;
}

}  // namespace casvit::trainer
