#include "trainer/report/chart_axes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "trainer/report/text.h"

namespace casvit::trainer {

void ChartLimits::include(double value) {
  if (!std::isfinite(value)) return;
  low = std::min(low, value);
  high = std::max(high, value);
}

ChartAxes::ChartAxes(ChartLimits x, bool log_x, std::vector<double> y_ticks)
    : x_(x), log_x_(log_x), y_ticks_(std::move(y_ticks)) {
  if (x_.high == x_.low) x_.high = x_.low + 1;
}

double ChartAxes::x(double given) const {
  const double value = log_x_ ? std::log10(given) : given;
  return kChartLeft +
         (value - x_.low) / (x_.high - x_.low) * (kChartWidth - kChartLeft - kChartRight);
}

double ChartAxes::y(double value) const {
  const double share = (value - y_ticks_.front()) / (y_ticks_.back() - y_ticks_.front());
  return kChartHeight - kChartBottom - share * (kChartHeight - kChartTop - kChartBottom);
}

std::vector<double> ChartAxes::x_ticks() const {
  if (!log_x_) return axis_ticks(x_.low, x_.high);
  std::vector<double> ticks;
  for (double power = std::ceil(x_.low - 1e-9); power <= x_.high + 1e-9; ++power) {
    ticks.push_back(std::pow(10, power));
  }
  return ticks;
}

bool ChartAxes::shows(double tick) const {
  const double value = log_x_ ? std::log10(tick) : tick;
  return value >= x_.low - 1e-9 && value <= x_.high + 1e-9;
}

std::optional<ChartAxes> axes_of(const Chart& chart) {
  ChartLimits x;
  ChartLimits y;
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      x.include(chart.log_x ? std::log10(point.x) : point.x);
      y.include(point.y);
    }
  }
  for (const ChartBand& band : chart.band) {
    y.include(band.low);
    y.include(band.high);
  }
  for (const ChartBar& bar : chart.bars) {
    x.include(bar.low);
    x.include(bar.high);
    y.include(bar.y);
  }
  if (chart.from_zero) y.include(0);
  if (chart.y_high) y.include(*chart.y_high);
  if (!x.empty() && !chart.log_x) x.include(0);
  constexpr double kRoomForLabels = 0.05;
  const auto has_label = [](const ChartSeries& series) { return !series.label.empty(); };
  if (!x.empty() && std::ranges::any_of(chart.series, has_label)) {
    x.include(x.high + kRoomForLabels * (x.high - x.low));
  }
  if (x.empty() || y.empty()) return std::nullopt;
  return ChartAxes(x, chart.log_x, axis_ticks(y.low, y.high));
}

std::vector<double> axis_ticks(double low, double high) {
  constexpr double kWanted = 5;
  if (!(high > low)) high = low + std::max(std::fabs(low) * 0.1, 1e-9);
  const double rough = (high - low) / kWanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * 0.999) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  const auto first = std::llround(std::floor(low / step + 1e-9));
  const auto last = std::llround(std::ceil(high / step - 1e-9));
  for (auto i = first; i <= last; ++i) ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

std::string value_text(double value) {
  if (std::fabs(value) >= 1000) return grouped(std::llround(value));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value == 0 ? 0.0 : value);
  return text.data();
}

}  // namespace casvit::trainer
