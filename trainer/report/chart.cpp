#include "trainer/report/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

constexpr double kLeft = 60;
constexpr double kRight = 14;
constexpr double kTop = 48;
constexpr double kBottom = 36;

struct Limits {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

/// Maps values to pixels.
class Axes {
 public:
  Axes(Limits x, bool log_x, std::vector<double> y_ticks)
      : x_(x), log_x_(log_x), y_ticks_(std::move(y_ticks)) {
    if (x_.high == x_.low) x_.high = x_.low + 1;
  }
  double x(double given) const {
    const double value = log_x_ ? std::log10(given) : given;
    return kLeft + (value - x_.low) / (x_.high - x_.low) * (kChartWidth - kLeft - kRight);
  }
  double y(double value) const {
    const double share = (value - y_ticks_.front()) / (y_ticks_.back() - y_ticks_.front());
    return kChartHeight - kBottom - share * (kChartHeight - kTop - kBottom);
  }
  const std::vector<double>& y_ticks() const { return y_ticks_; }
  /// Where the x axis has numbers: round ones, or powers of ten.
  std::vector<double> x_ticks() const {
    if (!log_x_) return axis_ticks(x_.low, x_.high);
    std::vector<double> ticks;
    for (double power = std::ceil(x_.low - 1e-9); power <= x_.high + 1e-9; ++power) {
      ticks.push_back(std::pow(10, power));
    }
    return ticks;
  }
  bool shows(double tick) const {
    const double value = log_x_ ? std::log10(tick) : tick;
    return value >= x_.low - 1e-9 && value <= x_.high + 1e-9;
  }

 private:
  Limits x_;  ///< logarithms where `log_x_`
  bool log_x_;
  std::vector<double> y_ticks_;
};

std::string at(double value) { return shortest(std::round(value * 10) / 10); }

/// "0.002", "1,500", "1e-05": an axis number.
std::string tick_text(double value) {
  if (std::fabs(value) >= 1000) return grouped(std::llround(value));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value == 0 ? 0.0 : value);
  return text.data();
}

std::string text_at(double x, double y, const std::string& kind, const std::string& anchor,
                    const std::string& text) {
  return "<text class='" + kind + "' x='" + at(x) + "' y='" + at(y) + "' text-anchor='" + anchor +
         "'>" + escape_html(text) + "</text>";
}

std::string grid_line(const std::string& y) {
  return "<line class='cv-grid' x1='" + at(kLeft) + "' x2='" + at(kChartWidth - kRight) + "' y1='" +
         y + "' y2='" + y + "'/>";
}

std::string draw_axes(const Chart& chart, const Axes& axes) {
  std::string out;
  for (const double tick : axes.y_ticks()) {
    out += grid_line(at(axes.y(tick)));
    out += text_at(kLeft - 8, axes.y(tick) + 4, "cv-tick", "end", tick_text(tick) + chart.unit);
  }
  for (const double tick : axes.x_ticks()) {
    if (!axes.shows(tick)) continue;
    out += text_at(axes.x(tick), kChartHeight - kBottom + 18, "cv-tick", "middle", tick_text(tick));
  }
  out += text_at(kChartWidth - kRight, kChartHeight - 3, "cv-tick", "end", chart.x_label);
  return out;
}

std::string draw_band(const Chart& chart, const Axes& axes) {
  if (chart.band.size() < 2) return "";
  std::string points;
  const auto add = [&](double x, double y) { points += at(axes.x(x)) + "," + at(axes.y(y)) + " "; };
  for (const ChartBand& band : chart.band) add(band.x, band.high);
  for (std::size_t i = chart.band.size(); i-- > 0;) add(chart.band[i].x, chart.band[i].low);
  return "<polygon class='cv-band' points='" + points + "'/>";
}

/// A line, broken where a value is missing.
std::string draw_line(const ChartSeries& series, const Axes& axes) {
  std::string path;
  std::string dots;
  bool pen_down = false;
  for (const ChartPoint& point : series.points) {
    if (!std::isfinite(point.y)) {
      pen_down = false;
      continue;
    }
    path += pen_down ? 'L' : 'M';
    path += at(axes.x(point.x)) + " " + at(axes.y(point.y));
    pen_down = true;
    if (series.dots) {
      dots += "<circle class='cv-dot cv-" + series.tone + "' r='2.4' cx='" + at(axes.x(point.x)) +
              "' cy='" + at(axes.y(point.y)) + "'/>";
    }
  }
  return "<path class='cv-line cv-" + series.tone + "' d='" + path + "'/>" + dots;
}

/// One text with a dot a name, so that the reader's font decides how wide it is.
std::string draw_legend(const Chart& chart) {
  if (chart.series.size() < 2) return "";
  std::string out =
      "<text class='cv-name' x='" + at(kChartWidth - kRight) + "' y='18' text-anchor='end'>";
  for (const ChartSeries& series : chart.series) {
    out += "<tspan class='cv-dot cv-" + series.tone + "' dx='" +
           (&series == chart.series.data() ? "0" : "14") + "'>\u25cf</tspan><tspan dx='5'>" +
           escape_html(series.name) + "</tspan>";
  }
  return out + "</text>";
}

}  // namespace

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

std::string chart_content(const Chart& chart) {
  Limits x;
  Limits y;
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
  if (chart.from_zero) y.include(0);
  if (!x.empty() && !chart.log_x) x.include(0);
  std::string out = text_at(2, 18, "cv-title", "start", chart.title);
  if (x.empty() || y.empty()) {
    return out +
           text_at(kChartWidth / 2.0, kChartHeight / 2.0, "cv-tick", "middle", "no finite values");
  }
  const Axes axes(x, chart.log_x, axis_ticks(y.low, y.high));
  out += draw_legend(chart) + draw_axes(chart, axes) + draw_band(chart, axes);
  for (const ChartSeries& series : chart.series) out += draw_line(series, axes);
  return out;
}

std::string charts_svg(const std::vector<Chart>& charts) {
  constexpr int kGap = 40;
  const int columns = charts.size() > 1 ? 2 : 1;
  const int rows = (static_cast<int>(charts.size()) + columns - 1) / columns;
  const int width = columns * (kChartWidth + kGap) + kGap;
  const int height = rows * (kChartHeight + kGap) + kGap;
  const std::string size = std::to_string(width) + "' height='" + std::to_string(height);
  std::string out = "<svg xmlns='http://www.w3.org/2000/svg' width='" + size + "' viewBox='0 0 " +
                    std::to_string(width) + " " + std::to_string(height) +
                    "'>\n<style>.cv-paper{fill:#fff}" + chart_style() +
                    "@media (prefers-color-scheme:dark){.cv-paper{fill:#1a1e1c}}</style>\n"
                    "<rect class='cv-paper' width='" +
                    size + "'/>\n";
  for (std::size_t i = 0; i < charts.size(); ++i) {
    const int place = static_cast<int>(i);
    const int x = kGap + place % columns * (kChartWidth + kGap);
    const int y = kGap + place / columns * (kChartHeight + kGap);
    out += "<g transform='translate(" + std::to_string(x) + " " + std::to_string(y) + ")'>" +
           chart_content(charts[i]) + "</g>\n";
  }
  return out + "</svg>\n";
}

std::string chart_style() {
  return R"css(
.cv-title,.cv-name,.cv-tick{font-family:Inter,system-ui,-apple-system,"Segoe UI",sans-serif;fill:#69736e}
.cv-title{font-size:14px;font-weight:600;fill:#1d2421}
.cv-name{font-size:12.5px}
.cv-tick{font-size:11.5px;font-variant-numeric:tabular-nums}
.cv-grid{stroke:#e7e5df;stroke-width:1}
.cv-line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.cv-line.cv-main{stroke:#2b7a58}.cv-dot.cv-main{fill:#2b7a58}
.cv-line.cv-other{stroke:#7f8fb3}.cv-dot.cv-other{fill:#7f8fb3}
.cv-line.cv-train{stroke:#c08a3e;stroke-width:1.6}.cv-dot.cv-train{fill:#c08a3e}
.cv-band{fill:#c08a3e;opacity:.16}
@media (max-width:640px){.cv-title{font-size:17px}.cv-name{font-size:15px}.cv-tick{font-size:15px}}
@media (prefers-color-scheme:dark){
.cv-title{fill:#e9ecea}.cv-name,.cv-tick{fill:#98a39d}.cv-grid{stroke:#2b312e}
.cv-line.cv-main{stroke:#66c79d}.cv-dot.cv-main{fill:#66c79d}
.cv-line.cv-other{stroke:#93a5d0}.cv-dot.cv-other{fill:#93a5d0}
.cv-line.cv-train{stroke:#dcab62}.cv-dot.cv-train{fill:#dcab62}.cv-band{fill:#dcab62}}
)css";
}

}  // namespace casvit::trainer
