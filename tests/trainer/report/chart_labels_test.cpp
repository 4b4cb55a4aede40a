// Labels beside the ends of lines can be read, however close the lines end.

#include "trainer/report/chart_labels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace casvit::trainer {
namespace {

Chart chart_of(const std::vector<std::vector<ChartPoint>>& lines) {
  Chart chart;
  for (const std::vector<ChartPoint>& points : lines) {
    ChartSeries series{"run", "main", points, false};
    series.label = std::to_string(chart.series.size() + 1);
    chart.series.push_back(std::move(series));
  }
  return chart;
}

std::vector<ChartLabel> labels(const Chart& chart) {
  return labels_of(chart, axes_of(chart).value());
}

TEST(ChartLabels, StandBesideTheLastFinitePoint) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Chart chart = chart_of({{{0, 0}, {5, 1}, {10, nan}}, {{0, 1}, {10, 0}}});
  const ChartAxes axes = axes_of(chart).value();
  const std::vector<ChartLabel> found = labels_of(chart, axes);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].text, "1");
  EXPECT_EQ(found[0].x, axes.x(5) + 4);
  EXPECT_EQ(found[0].y, axes.y(1));
}

TEST(ChartLabels, TwelveLinesThatEndTogetherAreAllLegible) {
  for (const double end : {0.0, 0.5, 1.0}) {  // at the bottom, within, at the top
    std::vector<std::vector<ChartPoint>> lines(12, {{0, 0}, {5, 1}, {10, end}});
    const std::vector<ChartLabel> found = labels(chart_of(lines));
    ASSERT_EQ(found.size(), 12U);
    for (std::size_t i = 0; i < 12; ++i) {
      EXPECT_GE(found[i].y, 0);
      EXPECT_LE(found[i].y, kChartHeight - kChartBottom);
      for (std::size_t j = 0; j < i; ++j) {
        EXPECT_GE(std::fabs(found[i].y - found[j].y), 10.9) << end << ": " << i << " on " << j;
      }
    }
  }
}

TEST(ChartLabels, RoundingMovesNoneForEver) {
  for (int i = 0; i <= 2000; ++i) {  // sums of these are rounded either way
    std::vector<std::vector<ChartPoint>> lines(12, {{0, 0}, {5, 1}, {10, i / 2000.0}});
    ASSERT_EQ(labels(chart_of(lines)).size(), 12U);
  }
}

TEST(ChartLabels, LinesThatEndElsewhereAreNotInTheWay) {
  const Chart chart = chart_of({{{0, 0}, {5, 1}}, {{0, 0}, {10, 1}}});
  const std::vector<ChartLabel> found = labels(chart);
  EXPECT_EQ(found[0].y, found[1].y);
}

TEST(ChartLabels, HaveRoomWithinTheDrawing) {
  const Chart chart = chart_of({{{0, 0}, {10, 1}}});
  EXPECT_LT(labels(chart)[0].x, kChartWidth - 24);
}

}  // namespace
}  // namespace casvit::trainer
