#pragma once

#include <string>
#include <vector>

namespace casvit::trainer {

/// Horizontal bars, a row a name, with one bar a series.
struct BarFigure {
  struct Row {
    std::string name;
    std::vector<double> values;      ///< one a series
    std::vector<std::string> texts;  ///< beside the bars
  };
  std::string title;
  std::vector<std::string> series;  ///< names; the tones are main, other, train in turn
  std::vector<Row> rows;
};

/// Of the width of two charts; nothing where there are no rows.
std::string bar_figure_svg(const BarFigure& figure);

/// The same as a list for an HTML page, whose letters stay readable on a phone.
std::string bar_figure_html(const BarFigure& figure);

}  // namespace casvit::trainer
