#include <cmath>
#include <nlohmann/json.hpp>

#include "trainer/report/chart_axes.h"
#include "trainer/report/text.h"

namespace casvit::trainer {

std::string chart_points(const Chart& chart) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  const std::optional<ChartAxes> axes = axes_of(chart);
  if (!axes) return out.dump();
  const auto pixel = [](double value) { return shortest(std::round(value * 10) / 10); };
  for (const ChartSeries& series : chart.series) {
    std::string points;
    for (const ChartPoint& point : series.points) {
      if (!std::isfinite(point.y)) continue;
      points += (points.empty() ? "" : ";") + pixel(axes->x(point.x)) + ' ' +
                pixel(axes->y(point.y)) + ' ' + value_text(point.x) + ' ' + value_text(point.y);
    }
    out.push_back({{"name", sanitize_utf8(series.name)},
                   {"tone", series.tone},
                   {"unit", chart.unit},
                   {"points", std::move(points)}});
  }
  return out.dump();
}

std::string chart_html(const Chart& chart) {
  const std::string title = escape_html(chart.title);
  return "<figure class='plot' data-points='" + escape_html(chart_points(chart)) + "' data-x='" +
         escape_html(chart.x_label) + "'><svg viewBox='0 0 " + std::to_string(kChartWidth) + " " +
         std::to_string(kChartHeight) + "' role='img' aria-label='" + title + "'>" +
         chart_content(chart) + "</svg></figure>\n";
}

}  // namespace casvit::trainer
