// The report's model beside another one, on the same pictures.

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "trainer/report/page.h"
#include "trainer/report/page_pictures.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

/// "+1.25", "-0.30", "0.00": with a sign that says which is better.
std::string signed_text(double value, int digits) {
  const std::string text = fixed(std::fabs(value), digits);
  const bool is_zero = text.find_first_not_of("0.") == std::string::npos;
  return (is_zero ? "" : value > 0 ? "+" : "\u2212") + text;
}

std::string range(const Interval& interval, double scale, bool with_sign) {
  const auto text = [&](double value) {
    return with_sign ? signed_text(scale * value, 2) : fixed(scale * value, 2);
  };
  return "<small>" + text(interval.low) + " to " + text(interval.high) + "</small>";
}

struct Row {
  std::string name;
  double own, other, scale;
  Interval own_interval, other_interval, difference;
};

std::string row_html(const Row& row) {
  return "<tr><th scope='row'>" + row.name + "</th><td>" + fixed(row.scale * row.own, 2) + "%" +
         range(row.own_interval, row.scale, false) + "</td><td>" + fixed(row.scale * row.other, 2) +
         "%" + range(row.other_interval, row.scale, false) + "</td><td class='chosen'>" +
         signed_text(row.scale * (row.own - row.other), 2) +
         range(row.difference, row.scale, true) + "</td></tr>\n";
}

std::string figures_table(const PairedComparison& paired, int top_k) {
  const Judgement& own = paired.own;
  const Judgement& other = paired.other;
  const auto plain = [](const std::string& name, double first, double second, int digits,
                        const std::string& unit) {
    return "<tr><th scope='row'>" + name + "</th><td>" + fixed(first, digits) + unit + "</td><td>" +
           fixed(second, digits) + unit + "</td><td class='chosen'>" +
           signed_text(first - second, digits) + "</td></tr>\n";
  };
  return "<div class='scroll' tabindex='0' role='region' aria-label='Figures of both'><table "
         "class='weights'><thead><tr><th scope='col'>Figure</th><th scope='col'>This</th><th "
         "scope='col'>Other</th><th scope='col' class='chosen'>Difference</th></tr></thead>"
         "<tbody>\n" +
         row_html({"Top-1", own.accuracy.acc1(), other.accuracy.acc1(), 1, own.intervals.acc1,
                   other.intervals.acc1, paired.difference.acc1}) +
         row_html({"Top-" + std::to_string(std::min(5, top_k)), own.accuracy.acc5(),
                   other.accuracy.acc5(), 1, own.intervals.acc5, other.intervals.acc5,
                   paired.difference.acc5}) +
         row_html({"Macro F1", own.macro_f1, other.macro_f1, 100, own.intervals.macro_f1,
                   other.intervals.macro_f1, paired.difference.macro_f1}) +
         plain("Log loss", own.accuracy.loss, other.accuracy.loss, 4, "") +
         plain("Calibration error (ECE)", 100 * own.calibration.ece, 100 * other.calibration.ece, 2,
               "%") +
         "</tbody></table></div>\n";
}

std::string verdict(const PairedComparison& paired) {
  constexpr double kSignificant = 0.05;
  const Comparison& answers = paired.answers;
  const std::string p =
      answers.p_value < 0.0001 ? "p &lt; 0.0001" : "p = " + fixed(answers.p_value, 4);
  return "<p class='note'>This alone has " + grouped(answers.only_first) +
         " pictures right, the other alone " + grouped(answers.only_second) + ": " +
         (answers.p_value < kSignificant ? "more than chance explains ("
                                         : "no more than chance explains (") +
         p +
         ", exact McNemar test). Small figures are 95% intervals; that of the difference is "
         "paired: both are judged on the same resamples.</p>\n";
}

/// The classes with rows: all, or those that changed most; in their order.
std::vector<std::size_t> listed(const std::vector<ClassChange>& classes) {
  constexpr std::size_t kMostRows = 500;
  std::vector<std::size_t> rows(classes.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  if (rows.size() <= kMostRows) return rows;
  std::ranges::stable_sort(rows, std::ranges::greater(),
                           [&](std::size_t c) { return classes[c].gained + classes[c].lost; });
  rows.resize(kMostRows);
  std::ranges::sort(rows);
  return rows;
}

std::string classes_table(const Figures& figures) {
  const std::vector<ClassChange>& classes = figures.against->classes;
  const std::vector<std::size_t> rows = listed(classes);
  std::string out =
      "<details><summary>By class</summary>\n<div class='scroll tall' tabindex='0' role='region' "
      "aria-label='Changes by class'><table class='small long sortable'><thead><tr><th scope='col' "
      "data-sort='text'>Class</th><th scope='col'>Pictures</th><th scope='col'>This</th><th "
      "scope='col'>Other</th><th scope='col'>Difference</th><th scope='col'>Gained</th><th "
      "scope='col'>Lost</th></tr></thead><tbody>\n";
  for (const std::size_t c : rows) {
    const ClassChange& change = classes[c];
    const auto share = [&](std::int64_t count) {
      return change.support > 0
                 ? 100 * static_cast<double>(count) / static_cast<double>(change.support)
                 : 0.0;
    };
    const double own = share(change.right());
    const double other = share(change.right_by_other());
    out += "<tr><th scope='row'>" + escape_html(figures.classes[c]) + "</th><td>" +
           grouped(change.support) + "</td><td>" + fixed(own, 1) + "%</td><td>" + fixed(other, 1) +
           "%</td><td>" + signed_text(own - other, 1) + "</td><td>" + grouped(change.gained) +
           "</td><td>" + grouped(change.lost) + "</td></tr>\n";
  }
  out += "</tbody></table></div>";
  out += rows.size() < classes.size()
             ? "<p class='note'>The " + grouped(static_cast<long long>(rows.size())) +
                   " classes that changed most; class_changes.csv has all.</p>"
             : "";
  return out + "</details>\n";
}

std::string answer_html(const Figures& figures, const Evaluation& evaluation, std::size_t place) {
  const std::size_t first = place * static_cast<std::size_t>(evaluation.top_k);
  return escape_html(figures.classes[static_cast<std::size_t>(evaluation.top[first])]) + " " +
         share_html(static_cast<double>(evaluation.probability[first]));
}

std::string gallery(const Figures& figures, const std::string& title,
                    const std::vector<std::size_t>& places, PagePictures& pictures) {
  constexpr std::size_t kMost = 18;
  if (places.empty()) return "";
  const Evaluation& own = figures.headline;
  std::string out = "<h3>" + title + " (" + grouped(static_cast<long long>(places.size())) +
                    ")</h3>\n<ul class='gallery'>\n";
  for (std::size_t i = 0; i < std::min(kMost, places.size()); ++i) {
    const std::size_t place = places[i];
    const std::string& label = figures.classes[static_cast<std::size_t>(own.label[place])];
    out += "<li>";
    if (figures.input.thumbnail) {
      out += pictures.html(figures.input.thumbnail(own.sample[place]), label);
    }
    out += "<b>" + escape_html(label) + "</b><br><span class='as'>this:</span> " +
           answer_html(figures, own, place) + "<br><span class='as'>other:</span> " +
           answer_html(figures, figures.input.against->evaluation, place) + "<span class='path'>" +
           escape_html(figures.input.path(own.sample[place])) + "</span></li>\n";
  }
  out += "</ul>\n";
  if (places.size() > kMost) {
    out += "<p class='note'>The " + std::to_string(kMost) +
           " with the surest wrong answer; changed_pictures.csv has all.</p>\n";
  }
  return out;
}

}  // namespace

std::string against_section(const Figures& figures) {
  if (!figures.against) return "";
  const PairedComparison& paired = *figures.against;
  const Opponent& opponent = *figures.input.against;
  std::string out =
      "<section class='card'><h2>Against another model</h2>\n<dl class='sides'><dt>This</dt><dd>" +
      escape_html(opponent.own_name) + "</dd><dt>Other</dt><dd>" + escape_html(opponent.name) +
      "</dd></dl>\n";
  if (paired.own.accuracy.samples == 0) {
    return out +
           "<p class='lead'>No picture here has a known label: there is nothing to "
           "compare.</p></section>\n";
  }
  constexpr std::size_t kMostBytes = 1 << 20;  // the mistakes have their own
  PagePictures pictures(kMostBytes);
  return out + figures_table(paired, figures.headline.top_k) + verdict(paired) +
         classes_table(figures) + gallery(figures, "Right by this alone", paired.gained, pictures) +
         gallery(figures, "Right by the other alone", paired.lost, pictures) + "</section>\n";
}

}  // namespace casvit::trainer
