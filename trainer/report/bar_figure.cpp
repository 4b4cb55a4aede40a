#include "trainer/report/bar_figure.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "trainer/report/chart.h"
#include "trainer/report/short_name.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

constexpr std::array<const char*, 3> kTones{"main", "other", "train"};

const char* tone(std::size_t series) { return kTones.at(series % kTones.size()); }

double largest(const BarFigure& figure) {
  double most = 0;
  for (const BarFigure::Row& row : figure.rows) {
    for (const double value : row.values) most = std::max(most, std::isfinite(value) ? value : 0);
  }
  return most > 0 ? most : 1;
}

}  // namespace

std::string bar_figure_svg(const BarFigure& figure) {
  constexpr int kWidth = 1000;
  constexpr int kNames = 270;
  constexpr int kTexts = 130;
  constexpr int kTop = 70;
  constexpr int kBar = 11;
  const int bars = static_cast<int>(figure.series.size());
  const int row_height = bars * (kBar + 2) + 10;
  const double most = largest(figure);
  std::string out = "<text class='cv-title' x='40' y='36'>" + escape_html(figure.title) + "</text>";
  if (bars > 1) {
    out += "<text class='cv-name' x='960' y='36' text-anchor='end'>";
    for (std::size_t s = 0; s < figure.series.size(); ++s) {
      out += std::string("<tspan class='cv-dot cv-") + tone(s) + "' dx='" + (s == 0 ? "0" : "14") +
             "'>\u25cf</tspan><tspan dx='5'>" + escape_html(figure.series[s]) + "</tspan>";
    }
    out += "</text>";
  }
  int y = kTop;
  for (const BarFigure::Row& row : figure.rows) {
    out += "\n<text class='cv-tick' text-anchor='end' x='" + std::to_string(kNames - 10) + "' y='" +
           std::to_string(y + row_height / 2 - 1) + "'>" + escape_html(short_name(row.name, 36)) +
           "</text>";
    for (std::size_t s = 0; s < row.values.size(); ++s) {
      const int top = y + static_cast<int>(s) * (kBar + 2);
      const double length =
          std::isfinite(row.values[s]) ? row.values[s] / most * (kWidth - kNames - kTexts) : 0;
      out += std::string("<rect class='cv-block cv-") + tone(s) + "' x='" + std::to_string(kNames) +
             "' y='" + std::to_string(top) + "' width='" + fixed(length, 1) + "' height='" +
             std::to_string(kBar) + "' rx='2'/><text class='cv-tick' x='" +
             fixed(kNames + length + 8, 1) + "' y='" + std::to_string(top + kBar - 1) + "'>" +
             escape_html(row.texts[s]) + "</text>";
    }
    y += row_height;
  }
  return svg_file(kWidth, y + 30, out + "\n");
}

std::string bar_figure_html(const BarFigure& figure) {
  const double most = largest(figure);
  std::string out;
  if (figure.series.size() > 1) {
    out += "<p class='legend'>";
    for (std::size_t s = 0; s < figure.series.size(); ++s) {
      out += std::string("<span><i class='") + tone(s) + "'></i>" + escape_html(figure.series[s]) +
             "</span>";
    }
    out += "</p>";
  }
  out += "<ul class='bars'>\n";
  for (const BarFigure::Row& row : figure.rows) {
    out += "<li><span class='name'>" + escape_html(row.name) + "</span><span class='lines'>";
    for (std::size_t s = 0; s < row.values.size(); ++s) {
      const double share = std::isfinite(row.values[s]) ? row.values[s] / most : 0;
      out += std::string("<span class='line'><i class='") + tone(s) +
             "' style='--w:" + fixed(share, 4) + "'></i><b>" + escape_html(row.texts[s]) +
             "</b></span>";
    }
    out += "</span></li>\n";
  }
  return out + "</ul>\n";
}

}  // namespace casvit::trainer
