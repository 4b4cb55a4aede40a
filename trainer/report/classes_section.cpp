#include <algorithm>
#include <numeric>

#include "trainer/report/figure_files.h"
#include "trainer/report/page.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

/// Rows beyond that are left to per_class.csv: a page must stay a page.
constexpr std::size_t kMostRows = 1500;
constexpr std::size_t kSearchFrom = 15;

std::string score(double value) {
  constexpr double kWeak = 0.5;
  return std::string("<td") + (value < kWeak ? " class='weak'" : "") + ">" + fixed(100 * value, 1) +
         "</td>";
}

/// The class that a class is most often taken for.
std::string taken_for(const Figures& figures, int label) {
  const ConfusionMatrix& matrix = figures.matrix;
  int most = -1;
  for (int as = 0; as < matrix.classes(); ++as) {
    if (as != label && matrix.at(label, as) > (most < 0 ? 0 : matrix.at(label, most))) most = as;
  }
  if (most < 0) return "<td class='taken'></td>";
  return "<td class='taken'>" + escape_html(figures.classes[static_cast<std::size_t>(most)]) +
         " (" + std::to_string(matrix.at(label, most)) + ")</td>";
}

std::string class_row(const Figures& figures, std::size_t c) {
  const Scores& scores = figures.scores.classes[c];
  std::string out = "<tr><th scope='row'>" + escape_html(figures.classes[c]) + "</th>" +
                    score(scores.precision) + score(scores.recall) +
                    "<td><span class='bar'><i style='width:" + fixed(100 * scores.f1, 0) +
                    "%'></i></span>" + fixed(100 * scores.f1, 1) + "</td><td>" +
                    grouped(scores.support) + "</td>";
  if (!figures.input.train_counts.empty()) {
    out += "<td class='trained'>" + grouped(static_cast<long long>(figures.input.train_counts[c])) +
           "</td>";
  }
  return out + taken_for(figures, static_cast<int>(c)) + "</tr>\n";
}

std::string average_row(const Figures& figures, const std::string& name, const Scores& scores) {
  std::string out = "<tr><th scope='row'>" + name + "</th><td>" + fixed(100 * scores.precision, 1) +
                    "</td><td>" + fixed(100 * scores.recall, 1) + "</td><td>" +
                    fixed(100 * scores.f1, 1) + "</td><td>" + grouped(scores.support) + "</td>";
  if (!figures.input.train_counts.empty()) {
    const auto& counts = figures.input.train_counts;
    out += "<td>" +
           grouped(static_cast<long long>(
               std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}))) +
           "</td>";
  }
  return out + "<td class='taken'></td></tr>\n";
}

/// The classes that have rows: all, or those with the least F1; in their order.
std::vector<std::size_t> listed(const Figures& figures) {
  std::vector<std::size_t> rows(figures.classes.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  if (rows.size() <= kMostRows) return rows;
  std::ranges::stable_sort(rows, {}, [&](std::size_t c) { return figures.scores.classes[c].f1; });
  rows.resize(kMostRows);
  std::ranges::sort(rows);
  return rows;
}

std::string samples_part(const Figures& figures) {
  std::string out = "<h3>Samples per class</h3>\n";
  if (figures.classes.size() <= kMostBars) {
    return out + bar_figure_html(samples_bars(figures));
  }
  return out + "<div class='charts'>\n" + chart_html(samples_chart(figures)) + "</div>\n";
}

}  // namespace

std::string classes_section(const Figures& figures) {
  if (figures.matrix.samples() == 0) return "";
  const std::vector<std::size_t> rows = listed(figures);
  std::string out = "<section class='card'><h2>Classes</h2>\n";
  if (rows.size() < figures.classes.size()) {
    out += "<p class='lead'>Of " + grouped(static_cast<long long>(figures.classes.size())) +
           " classes the " + grouped(static_cast<long long>(rows.size())) +
           " with the lowest F1; per_class.csv has all.</p>\n";
  }
  if (rows.size() >= kSearchFrom) {
    out +=
        "<div class='tools'><label class='scripted'>Find a class <input type='search' "
        "data-searches='classes' data-tells='found'></label><span id='found' role='status'>"
        "</span></div>\n";
  }
  out +=
      "<div class='scroll tall' tabindex='0' role='region' aria-label='Classes'><table "
      "id='classes' class='classes long sortable'><thead><tr><th scope='col' "
      "data-sort='text'>Class</th><th scope='col'>Precision</th><th scope='col'>Recall</th>"
      "<th scope='col'>F1</th><th scope='col'>Pictures</th>";
  if (!figures.input.train_counts.empty())
    out += "<th scope='col' class='trained'>In training</th>";
  out +=
      "<th scope='col' class='taken' data-sort='text'>Mostly taken for</th></tr></thead>"
      "<tbody>\n";
  for (const std::size_t c : rows) out += class_row(figures, c);
  return out + "</tbody><tfoot>\n" +
         average_row(figures, "Mean over classes (macro)", figures.scores.macro) +
         average_row(figures, "Over all pictures (micro)", figures.scores.micro) +
         average_row(figures, "Weighted with pictures", figures.scores.weighted) +
         "</tfoot></table></div>\n" + samples_part(figures) + "</section>\n";
}

}  // namespace casvit::trainer
