// Labels beside the ends of lines can be read, however close the lines end.

#include "trainer/report/chart_labels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

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

TEST(ChartLabels, AnyEndsFindTheirPlaces) {
  // Distances that no binary fraction holds: 11 pixels from y is not always 11 pixels from it.
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int chart = 0; chart < 500; ++chart) {
    std::vector<std::vector<ChartPoint>> lines;
    for (int line = 0; line < 12; ++line) {
      lines.push_back({{0, 0}, {9 + uniform(random), uniform(random)}, {0, 1}});
      std::ranges::sort(lines.back(), {}, &ChartPoint::x);
    }
    const std::vector<ChartLabel> found = labels(chart_of(lines));
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_LE(found[i].y, kChartHeight - kChartBottom);
      for (std::size_t j = 0; j < i; ++j) {
        EXPECT_TRUE(std::fabs(found[i].x - found[j].x) >= 20 ||
                    std::fabs(found[i].y - found[j].y) >= 10.9);
      }
    }
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
