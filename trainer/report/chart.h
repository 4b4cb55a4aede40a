#pragma once

#include <string>
#include <vector>

namespace casvit::trainer {

struct ChartPoint {
  double x = 0;
  double y = 0;
};

/// The spread of many values around one x.
struct ChartBand {
  double x = 0;
  double low = 0;
  double high = 0;
};

/// One line of a chart. `tone` names its colour in the style sheet: main, other, train.
struct ChartSeries {
  std::string name;
  std::string tone;
  std::vector<ChartPoint> points;  ///< by rising x
  bool dots = false;               ///< mark each point too
};

struct Chart {
  std::string title;
  std::string x_label;
  std::vector<ChartSeries> series;
  std::vector<ChartBand> band;  ///< drawn behind, in the tone `train`
  bool from_zero = false;       ///< the y axis begins at 0
  std::string unit;             ///< after the numbers of the y axis, e.g. "%"
  bool log_x = false;           ///< the x axis is logarithmic: every x is above 0
};

constexpr int kChartWidth = 480;
constexpr int kChartHeight = 270;

/// What stands inside an <svg viewBox="0 0 480 270">; its look comes from `chart_style`.
std::string chart_content(const Chart& chart);

/// A picture of its own: charts side by side, two in a row, light or dark as the reader prefers.
std::string charts_svg(const std::vector<Chart>& charts);

/// CSS of charts: colours for light and dark, larger letters on narrow screens.
std::string chart_style();

/// Round numbers (1, 2 or 5 times a power of ten apart) that cover [low, high], four to seven.
std::vector<double> axis_ticks(double low, double high);

}  // namespace casvit::trainer
