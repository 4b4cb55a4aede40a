#include <algorithm>
#include <numeric>

#include "trainer/report/page.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

/// More classes than a reader can take in are cut to those with the most mistakes.
constexpr int kMostClasses = 30;
constexpr int kDenseFrom = 17;

std::vector<int> shown_classes(const ConfusionMatrix& matrix) {
  std::vector<int> shown(static_cast<std::size_t>(matrix.classes()));
  std::iota(shown.begin(), shown.end(), 0);
  if (matrix.classes() <= kMostClasses) return shown;
  const auto mistakes = [&](int c) {
    return matrix.support(c) + matrix.predicted(c) - 2 * matrix.at(c, c);
  };
  std::ranges::stable_sort(shown, std::ranges::greater(), mistakes);
  shown.resize(kMostClasses);
  std::ranges::sort(shown);
  return shown;
}

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
  return std::string("<td class='") + (label == as ? "h" : "m") + (alpha > 0.62 ? " s" : "") +
         "' style='--a:" + fixed(alpha, 2) + "' title='" + escape_html(what) + ": " +
         std::to_string(count) + " of " + std::to_string(support) + "'>" + std::to_string(count) +
         "</td>";
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
  out += "</p>\n<div class='scroll'><table class='matrix" + std::string(dense ? " dense" : "") +
         "'><thead><tr><th></th>";
  for (const int as : shown) {
    out += "<th scope='col' title='" + name(as) + "'><span>" + name(as) + "</span></th>";
  }
  out += "</tr></thead><tbody>\n";
  for (const int label : shown) {
    out += "<tr><th scope='row' title='" + name(label) + "'>" + name(label) + "</th>";
    for (const int as : shown) out += cell(figures, label, as);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div></section>\n";
}

std::string mistakes_section(const Figures& figures) {
  constexpr std::size_t kPairs = 10;
  constexpr std::size_t kMistakes = 8;
  const auto pairs = most_confused(figures.matrix, kPairs);
  if (pairs.empty()) return "";
  const auto name = [&](int c) {
    return escape_html(figures.classes[static_cast<std::size_t>(c)]);
  };
  std::string out = "<div class='two'><section class='card'><h2>Most confused</h2>\n";
  for (const ConfusedPair& pair : pairs) {
    out += "<div class='pair'><span><b>" + name(pair.label) +
           "</b> <span class='as'>taken for</span> " + name(pair.predicted) +
           "</span><span class='count'>" + grouped(pair.count) + " of " +
           grouped(figures.matrix.support(pair.label)) + "</span></div>\n";
  }
  out += "</section>\n<section class='card'><h2>Surest mistakes</h2>\n";
  for (const Mistake& mistake : surest_mistakes(figures.headline, kMistakes)) {
    out += "<div class='pair'><span><b>" + name(mistake.label) +
           "</b> <span class='as'>taken for</span> " + name(mistake.predicted) +
           "</span><span class='count'>" +
           fixed(100 * static_cast<double>(mistake.probability), 1) +
           "%</span><span class='path'>" + escape_html(figures.input.path(mistake.sample)) +
           "</span></div>\n";
  }
  return out + "</section></div>\n";
}

}  // namespace casvit::trainer
