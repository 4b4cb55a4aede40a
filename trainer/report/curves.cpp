#include "trainer/report/curves.h"

#include <functional>
#include <utility>

#include "trainer/report/curve_points.h"

namespace casvit::trainer {
namespace {

constexpr std::size_t kBins = 240;

ChartSeries evaluated(const History& history, const TimeAxis& time, const std::string& name,
                      const std::string& tone,
                      const std::function<std::optional<double>(const EpochMetrics&)>& value) {
  constexpr std::size_t kMostDots = 40;
  ChartSeries series{name, tone, evaluated_points(history, time, value), false};
  series.dots = series.points.size() <= kMostDots;
  return series;
}

void add_where_any(Chart& chart, ChartSeries series) {
  if (!series.points.empty()) chart.series.push_back(std::move(series));
}

}  // namespace

std::vector<Chart> training_charts(const History& history) {
  const TimeAxis time = epochs_axis(history).value_or(TimeAxis{});
  const auto chart = [&](const std::string& title, const std::string& unit, bool from_zero) {
    return Chart{title, time.label, {}, {}, from_zero, unit};
  };
  const auto bin = [&](const std::function<double(const StepMetrics&)>& value) {
    return bin_steps(history.steps, time, kBins, value);
  };

  Chart loss = chart("Loss", "", false);
  BinnedSteps train = bin([](const StepMetrics& step) { return step.loss; });
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
  add_where_any(rate, {"learning rate", "main",
                       bin([](const StepMetrics& step) { return step.lr; }).mean, false});

  Chart speed = chart("Images per second", "", true);
  add_where_any(speed,
                {"images per second", "main",
                 bin([](const StepMetrics& step) { return step.images_per_second; }).mean, false});

  std::vector<Chart> charts;
  for (Chart* each : {&loss, &accuracy, &rate, &speed}) {
    if (!each->series.empty()) charts.push_back(std::move(*each));
  }
  return charts;
}

std::string curves_svg(const History& history) { return charts_svg(training_charts(history)); }

}  // namespace casvit::trainer
