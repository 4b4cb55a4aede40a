#include <algorithm>

#include "trainer/report/confusion_order.h"
#include "trainer/report/page.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

constexpr int kDenseFrom = 17;

std::string cell(const Figures& figures, int label, int as) {
  const std::int64_t count = figures.matrix.at(label, as);
  if (count == 0) return "<td></td>";
  const std::int64_t support = figures.matrix.support(label);
  const double share = static_cast<double>(count) / static_cast<double>(support);
  // The least of shares is still to be seen, and mistakes are seldom frequent.
  const double alpha = label == as ? 0.12 + 0.88 * share : std::min(1.0, 0.16 + 1.6 * share);
  const std::string& truth = figures.classes[static_cast<std::size_t>(label)];
  const std::string& guess = figures.classes[static_cast<std::size_t>(as)];
  const std::string what = label == as ? truth + " recognised" : truth + " taken for " + guess;
  // Between the two the letters would be hard to read whichever they were.
  constexpr double kLightUpTo = 0.5;
  constexpr double kHalfway = 0.68;
  const bool strong = alpha > kHalfway;
  const double shade =
      strong ? std::max(alpha, label == as ? 0.94 : 1.0) : std::min(alpha, kLightUpTo);
  return std::string("<td class='") + (label == as ? "h" : "m") + (strong ? " s" : "") +
         "' style='--a:" + fixed(shade, 2) + "' title='" + escape_html(what) + ": " +
         std::to_string(count) + " of " + std::to_string(support) + "'><i>" +
         std::to_string(count) + "</i><b>" + fixed(100 * share, 0) + "</b></td>";
}

std::string places(const std::vector<int>& order) {
  std::string out;
  for (const int place : order) out += (out.empty() ? "" : " ") + std::to_string(place);
  return out;
}

std::string tools(const Figures& figures, const std::vector<int>& shown) {
  std::vector<int> as_given(shown.size());
  for (std::size_t i = 0; i < shown.size(); ++i) as_given[i] = static_cast<int>(i);
  const auto option = [](const std::vector<int>& order, const char* name) {
    return "<option value='" + places(order) + "'>" + name + "</option>";
  };
  return "<fieldset class='tools choice'><legend class='unseen'>What the cells say</legend>"
         "<label><input type='radio' name='cells' value='counts' checked>Counts</label>"
         "<label><input type='radio' name='cells' value='shares'>Shares of the row, %</label>"
         "<label class='scripted'>Order <select data-orders='matrix'>" +
         option(as_given, "of the classes") +
         option(by_mistakes(figures.matrix, shown), "most mistakes first") +
         option(by_confusion(figures.matrix, shown), "confused classes side by side") +
         "</select></label></fieldset>\n";
}

std::string pairs_list(const Figures& figures) {
  constexpr std::size_t kPairs = 12;
  const auto pairs = most_confused(figures.matrix, kPairs);
  if (pairs.empty()) return "";
  const auto name = [&](int c) {
    return escape_html(figures.classes[static_cast<std::size_t>(c)]);
  };
  std::string out = "<h3>Most confused</h3>\n<div class='pairs'>\n";
  for (const ConfusedPair& pair : pairs) {
    const std::int64_t support = figures.matrix.support(pair.label);
    out += "<div class='pair'><span><b>" + name(pair.label) +
           "</b> <span class='as'>taken for</span> " + name(pair.predicted) +
           "</span><span class='count'>" + grouped(pair.count) + " of " + grouped(support) +
           "</span></div>\n";
  }
  return out + "</div>\n";
}

}  // namespace

std::string confusion_section(const Figures& figures) {
  const ConfusionMatrix& matrix = figures.matrix;
  if (matrix.samples() == 0) return "";
  const std::vector<int> shown = shown_classes(matrix);
  const auto name = [&](int c) {
    return escape_html(figures.classes[static_cast<std::size_t>(c)]);
  };
  const bool dense = static_cast<int>(shown.size()) >= kDenseFrom;
  std::string out = "<section class='card'><h2>Confusion matrix</h2>\n<p class='lead'>";
  out += "A row is a true class, a column what it was taken for; colours are shares of the row.";
  if (static_cast<int>(shown.size()) < matrix.classes()) {
    out += " Of " + grouped(matrix.classes()) + " classes these " + std::to_string(shown.size()) +
           " have the most mistakes; confusion_matrix.csv has all.";
  }
  out += "</p>\n" + tools(figures, shown) +
         "<div class='scroll' tabindex='0' role='region' aria-label='Confusion matrix'><table "
         "id='matrix' class='matrix" +
         std::string(dense ? " dense" : "") + "'><thead><tr><td class='corner'></td>";
  for (const int as : shown) {
    out += "<th scope='col' title='" + name(as) + "'><span>" + name(as) + "</span></th>";
  }
  out += "</tr></thead><tbody>\n";
  for (const int label : shown) {
    out += "<tr><th scope='row' title='" + name(label) + "'>" + name(label) + "</th>";
    for (const int as : shown) out += cell(figures, label, as);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n" + pairs_list(figures) + "</section>\n";
}

}  // namespace casvit::trainer
