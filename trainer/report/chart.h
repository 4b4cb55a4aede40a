#pragma once

#include <optional>
#include <string>
#include <string_view>
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

/// One line of a chart. `tone` names its colour in the style sheet: main, other, train; or where
/// many are compared those of trainer/compare.
struct ChartSeries {
  std::string name;
  std::string tone;
  std::vector<ChartPoint> points;  ///< by rising x
  bool dots = false;               ///< mark each point too
  bool line = true;                ///< otherwise its points only give values to a reader's pointer
  std::string label = {};          ///< a few letters beside its last point, in place of a legend
};

/// A bar from the bottom of the chart.
struct ChartBar {
  double low = 0;  ///< on the x axis
  double high = 0;
  double y = 0;
};

struct Chart {
  std::string title;
  std::string x_label;
  std::vector<ChartSeries> series;
  std::vector<ChartBand> band;        ///< drawn behind, in the tone `train`
  bool from_zero = false;             ///< the y axis begins at 0
  std::string unit;                   ///< after the numbers of the y axis, e.g. "%"
  bool log_x = false;                 ///< the x axis is logarithmic: every x is above 0
  std::vector<ChartBar> bars = {};    ///< drawn behind, in the tone `main`
  std::optional<double> y_high = {};  ///< the y axis reaches it
};

constexpr int kChartWidth = 480;
constexpr int kChartHeight = 270;

/// What stands inside an <svg viewBox="0 0 480 270">; its look comes from `chart_style`.
std::string chart_content(const Chart& chart);

/// The points of its lines as JSON, for the page's script: `[{"name", "tone", "unit", "points"},
/// ...]`; points is "X Y x y;X Y x y;...", with X Y in the drawing and x y as text.
std::string chart_points(const Chart& chart);

/// The chart as a part of an HTML page, with its points, named by its title.
std::string chart_html(const Chart& chart);

/// A picture of its own: charts side by side, two in a row, light or dark as the reader prefers.
std::string charts_svg(const std::vector<Chart>& charts);

/// An SVG file around drawn content, in pixels, with `chart_style`.
std::string svg_file(int width, int height, std::string_view content);

/// CSS of drawings: colours for light and dark, larger letters on narrow screens.
std::string chart_style();

}  // namespace casvit::trainer
