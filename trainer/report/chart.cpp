#include "trainer/report/chart.h"

#include <cmath>

#include "trainer/report/chart_axes.h"
#include "trainer/report/chart_labels.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string at(double value) { return shortest(std::round(value * 10) / 10); }

std::string text_at(double x, double y, const std::string& kind, const std::string& anchor,
                    const std::string& text) {
  return "<text class='" + kind + "' x='" + at(x) + "' y='" + at(y) + "' text-anchor='" + anchor +
         "'>" + escape_html(text) + "</text>";
}

std::string grid_line(const std::string& y) {
  return "<line class='cv-grid' x1='" + at(kChartLeft) + "' x2='" + at(kChartWidth - kChartRight) +
         "' y1='" + y + "' y2='" + y + "'/>";
}

std::string draw_axes(const Chart& chart, const ChartAxes& axes) {
  std::string out;
  for (const double tick : axes.y_ticks()) {
    out += grid_line(at(axes.y(tick)));
    out +=
        text_at(kChartLeft - 8, axes.y(tick) + 4, "cv-tick", "end", value_text(tick) + chart.unit);
  }
  for (const double tick : axes.x_ticks()) {
    if (!axes.shows(tick)) continue;
    out += text_at(axes.x(tick), kChartHeight - kChartBottom + 18, "cv-tick", "middle",
                   value_text(tick));
  }
  out += text_at(kChartWidth - kChartRight, kChartHeight - 3, "cv-tick", "end", chart.x_label);
  return out;
}

std::string draw_band(const Chart& chart, const ChartAxes& axes) {
  if (chart.band.size() < 2) return "";
  std::string points;
  const auto add = [&](double x, double y) { points += at(axes.x(x)) + "," + at(axes.y(y)) + " "; };
  for (const ChartBand& band : chart.band) add(band.x, band.high);
  for (std::size_t i = chart.band.size(); i-- > 0;) add(chart.band[i].x, chart.band[i].low);
  return "<polygon class='cv-band' points='" + points + "'/>";
}

std::string draw_bars(const Chart& chart, const ChartAxes& axes) {
  std::string out;
  const double floor = axes.y(axes.y_ticks().front());
  for (const ChartBar& bar : chart.bars) {
    if (!std::isfinite(bar.y)) continue;
    const double top = axes.y(bar.y);
    out += "<rect class='cv-bar' x='" + at(axes.x(bar.low) + 0.5) + "' width='" +
           at(axes.x(bar.high) - axes.x(bar.low) - 1) + "' y='" + at(top) + "' height='" +
           at(floor - top) + "'/>";
  }
  return out;
}

/// A line, broken where a value is missing.
std::string draw_line(const ChartSeries& series, const ChartAxes& axes) {
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
  if (chart.series.size() < 2 || !chart.series[0].label.empty()) return "";
  std::string out =
      "<text class='cv-name' x='" + at(kChartWidth - kChartRight) + "' y='18' text-anchor='end'>";
  for (const ChartSeries& series : chart.series) {
    out += "<tspan class='cv-dot cv-" + series.tone + "' dx='" +
           (&series == chart.series.data() ? "0" : "14") + "'>\u25cf</tspan><tspan dx='5'>" +
           escape_html(series.name) + "</tspan>";
  }
  return out + "</text>";
}

}  // namespace

std::string chart_content(const Chart& chart) {
  std::string out = text_at(2, 18, "cv-title", "start", chart.title);
  const std::optional<ChartAxes> axes = axes_of(chart);
  if (!axes) {
    return out +
           text_at(kChartWidth / 2.0, kChartHeight / 2.0, "cv-tick", "middle", "no finite values");
  }
  out += draw_legend(chart) + draw_axes(chart, *axes) + draw_band(chart, *axes) +
         draw_bars(chart, *axes);
  for (const ChartSeries& series : chart.series) {
    if (series.line) out += draw_line(series, *axes);
  }
  for (const ChartLabel& label : labels_of(chart, *axes)) {
    out += text_at(label.x, label.y + 4, "cv-tick cv-tag", "start", label.text);
  }
  return out;
}

std::string svg_file(int width, int height, std::string_view content) {
  const std::string size = std::to_string(width) + "' height='" + std::to_string(height);
  return "<svg xmlns='http://www.w3.org/2000/svg' width='" + size + "' viewBox='0 0 " +
         std::to_string(width) + " " + std::to_string(height) + "'>\n<style>" + chart_style() +
         "</style>\n<rect class='cv-paper' width='" + size + "'/>\n" + std::string(content) +
         "</svg>\n";
}

std::string charts_svg(const std::vector<Chart>& charts) {
  constexpr int kGap = 40;
  const int columns = charts.size() > 1 ? 2 : 1;
  const int rows = (static_cast<int>(charts.size()) + columns - 1) / columns;
  std::string out;
  for (std::size_t i = 0; i < charts.size(); ++i) {
    const int place = static_cast<int>(i);
    const int x = kGap + place % columns * (kChartWidth + kGap);
    const int y = kGap + place / columns * (kChartHeight + kGap);
    out += "<g transform='translate(" + std::to_string(x) + " " + std::to_string(y) + ")'>" +
           chart_content(charts[i]) + "</g>\n";
  }
  return svg_file(columns * (kChartWidth + kGap) + kGap, rows * (kChartHeight + kGap) + kGap, out);
}

}  // namespace casvit::trainer
