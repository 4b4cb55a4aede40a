#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "trainer/report/chart.h"

namespace casvit::trainer {

constexpr double kChartLeft = 60;
constexpr double kChartRight = 14;
constexpr double kChartTop = 48;
constexpr double kChartBottom = 36;

struct ChartLimits {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(double value);
  bool empty() const { return low > high; }
};

/// Maps values to pixels of the drawing.
class ChartAxes {
 public:
  ChartAxes(ChartLimits x, bool log_x, std::vector<double> y_ticks);

  double x(double given) const;
  double y(double value) const;
  const std::vector<double>& y_ticks() const { return y_ticks_; }
  /// Where the x axis has numbers: round ones, or powers of ten.
  std::vector<double> x_ticks() const;
  bool shows(double tick) const;

 private:
  ChartLimits x_;  ///< logarithms where `log_x_`
  bool log_x_;
  std::vector<double> y_ticks_;
};

/// What covers everything that a chart shows; nothing where it has no finite values.
std::optional<ChartAxes> axes_of(const Chart& chart);

/// Round numbers (1, 2 or 5 times a power of ten apart) that cover [low, high], four to seven.
std::vector<double> axis_ticks(double low, double high);

/// "0.002", "1,500", "1e-05": a number to be read off an axis or a line.
std::string value_text(double value);

}  // namespace casvit::trainer
