#include "trainer/report/chart_labels.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace casvit::trainer {
namespace {

constexpr double kApart = 11;   // pixels from one to the next below it
constexpr double kBeside = 20;  // closer than that two are in each other's way

/// Not where one was moved as far from the other as rounding allows: it would be moved for ever.
bool collide(const ChartLabel& one, const ChartLabel& other) {
  constexpr double kRounding = 1e-6;
  return std::fabs(one.x - other.x) < kBeside && std::fabs(one.y - other.y) < kApart - kRounding;
}

/// Moves a label by `step` past one after another of those that are in its way.
void make_way(ChartLabel& label, std::span<const ChartLabel> others, double step) {
  for (bool moved = true; moved;) {
    moved = false;
    for (const ChartLabel& other : others) {
      if (!collide(label, other)) continue;
      label.y = other.y + step;
      moved = true;
    }
  }
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
  const std::span<ChartLabel> all(labels);
  for (std::size_t i = 0; i < labels.size(); ++i) make_way(labels[i], all.first(i), kApart);
  for (std::size_t i = labels.size(); i-- > 0;) {
    labels[i].y = std::min(labels[i].y, floor);
    make_way(labels[i], all.subspan(i + 1), -kApart);
  }
  return labels;
}

}  // namespace casvit::trainer
