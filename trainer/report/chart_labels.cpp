#include "trainer/report/chart_labels.h"

#include <algorithm>
#include <cmath>

namespace casvit::trainer {
namespace {

constexpr double kApart = 11;   // pixels from one to the next below it
constexpr double kBeside = 20;  // closer than that two are in each other's way

bool collide(const ChartLabel& one, const ChartLabel& other) {
  return std::fabs(one.x - other.x) < kBeside && std::fabs(one.y - other.y) < kApart;
}

}  // namespace

std::vector<ChartLabel> labels_of(const Chart& chart, const ChartAxes& axes) {
  constexpr double kGap = 4;
  std::vector<ChartLabel> labels;
  for (const ChartSeries& series : chart.series) {
    const auto last = std::find_if(series.points.rbegin(), series.points.rend(),
                                   [](const ChartPoint& point) { return std::isfinite(point.y); });
    if (series.label.empty() || last == series.points.rend()) continue;
    labels.push_back({series.label, axes.x(last->x) + kGap, axes.y(last->y)});
  }
  std::ranges::stable_sort(labels, {}, &ChartLabel::y);
  const double floor = kChartHeight - kChartBottom;
  // Downwards first; what would leave the chart at the bottom pushes upwards again.
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (collide(labels[i], labels[j])) labels[i].y = labels[j].y + kApart;
    }
  }
  for (std::size_t i = labels.size(); i-- > 0;) {
    labels[i].y = std::min(labels[i].y, floor);
    for (std::size_t j = i + 1; j < labels.size(); ++j) {
      if (collide(labels[i], labels[j])) labels[i].y = labels[j].y - kApart;
    }
  }
  return labels;
}

}  // namespace casvit::trainer
