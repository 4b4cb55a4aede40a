#include <algorithm>

#include "trainer/report/confusion_order.h"
#include "trainer/report/figure_files.h"
#include "trainer/report/short_name.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
std::string confusion_svg(const Figures& figures) {
  return confusion_svg(figures.matrix, figures.classes);
}

std::string confusion_svg(const ConfusionMatrix& matrix, const std::vector<std::string>& classes) {
  const std::vector<int> shown = shown_classes(matrix);
  const auto count = static_cast<int>(shown.size());
  const int side = count > 16 ? 26 : 44;
  constexpr int kMargin = 30;
  constexpr int kNames = 190;
  constexpr int kTitle = 46;
  constexpr std::size_t kLongestName = 26;
  const int left = kMargin + kNames;
  const int top = kMargin + kTitle + kNames;
  const auto name = [&](int c) {
    return escape_html(short_name(classes[static_cast<std::size_t>(c)], kLongestName));
  };
  std::string out = "<text class='cv-title' x='" + std::to_string(kMargin) +
                    "' y='42'>Confusion matrix</text><text class='cv-tick' x='" +
                    std::to_string(kMargin) +
                    "' y='62'>rows: true class; columns: what it was taken for";
  if (count < matrix.classes()) {
    out += "; the " + std::to_string(count) + " of " + grouped(matrix.classes()) +
           " classes with the most mistakes";
  }
  out += "</text>\n";
  for (int i = 0; i < count; ++i) {
    const int middle = i * side + side / 2 + 4;
    out += "<text class='cv-tick' text-anchor='end' x='" + std::to_string(left - 8) + "' y='" +
           std::to_string(top + middle) + "'>" + name(shown[static_cast<std::size_t>(i)]) +
           "</text><text class='cv-tick' transform='translate(" + std::to_string(left + middle) +
           " " + std::to_string(top - 8) + ") rotate(-90)'>" +
           name(shown[static_cast<std::size_t>(i)]) + "</text>\n";
  }
  for (int row = 0; row < count; ++row) {
    for (int column = 0; column < count; ++column) {
      const int label = shown[static_cast<std::size_t>(row)];
      const int as = shown[static_cast<std::size_t>(column)];
      const std::int64_t cell = matrix.at(label, as);
      const double share =
          cell == 0 ? 0 : static_cast<double>(cell) / static_cast<double>(matrix.support(label));
      const int x = left + column * side;
      const int y = top + row * side;
      const std::string box = "' x='" + std::to_string(x + 1) + "' y='" + std::to_string(y + 1) +
                              "' width='" + std::to_string(side - 2) + "' height='" +
                              std::to_string(side - 2) + "' rx='3'/>";
      out += "<rect class='cv-tint" + box;
      if (cell == 0) continue;
      const double shade = row == column ? 0.12 + 0.88 * share : std::min(1.0, 0.16 + 1.6 * share);
      constexpr double kStrong = 0.68;
      const bool strong = shade > kStrong;
      out += std::string("<rect class='") + (row == column ? "cv-hit" : "cv-miss") +
             "' fill-opacity='" +
             fixed(strong ? std::max(shade, row == column ? 0.94 : 1.0) : std::min(shade, 0.5), 2) +
             box + "<text class='cv-cell" + (strong ? " cv-strong" : "") +
             "' text-anchor='middle' x='" + std::to_string(x + side / 2) + "' y='" +
             std::to_string(y + side / 2 + 4) + "'>" + std::to_string(cell) + "</text>\n";
    }
  }
  const int width = std::max(left + count * side + kMargin, 520);
  return svg_file(width, top + count * side + kMargin, out);
}

}  // namespace casvit::trainer
