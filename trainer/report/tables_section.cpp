#include "trainer/report/page.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string score(double value) {
  constexpr double kWeak = 0.5;
  return std::string("<td") + (value < kWeak ? " class='weak'" : "") + ">" + fixed(100 * value, 1) +
         "</td>";
}

std::string class_row(const std::string& name, const Scores& scores) {
  return "<tr><th scope='row'>" + escape_html(name) + "</th>" + score(scores.precision) +
         score(scores.recall) +
         "<td><span class='bar'><i style='width:" + fixed(100 * scores.f1, 1) + "%'></i></span>" +
         fixed(100 * scores.f1, 1) + "</td><td>" + grouped(scores.support) + "</td></tr>\n";
}

std::string average_row(const std::string& name, const Scores& scores) {
  return "<tr><th scope='row'>" + name + "</th><td>" + fixed(100 * scores.precision, 1) +
         "</td><td>" + fixed(100 * scores.recall, 1) + "</td><td>" + fixed(100 * scores.f1, 1) +
         "</td><td>" + grouped(scores.support) + "</td></tr>\n";
}

std::string facts(const std::string& title, const std::map<std::string, std::string>& facts) {
  if (facts.empty()) return "";
  std::string out = "<details><summary>" + title + "</summary><dl>\n";
  for (const auto& [name, value] : facts) {
    out += "<dt>" + escape_html(name) + "</dt><dd>" + escape_html(value) + "</dd>\n";
  }
  return out + "</dl></details>\n";
}

}  // namespace

std::string classes_section(const Figures& figures) {
  if (figures.matrix.samples() == 0) return "";
  std::string out =
      "<section class='card'><h2>Classes</h2>\n<div class='scroll tall'><table class='classes "
      "long'><thead><tr><th scope='col'>Class</th><th scope='col'>Precision</th><th "
      "scope='col'>Recall</th><th scope='col'>F1</th><th scope='col'>Pictures</th></tr>"
      "</thead><tbody>\n";
  for (std::size_t c = 0; c < figures.classes.size(); ++c) {
    out += class_row(figures.classes[c], figures.scores.classes[c]);
  }
  return out + "</tbody><tfoot>\n" + average_row("Mean over classes", figures.scores.macro) +
         average_row("Mean over pictures", figures.scores.weighted) +
         "</tfoot></table></div></section>\n";
}

std::string details_section(const Figures& figures) {
  const ReportInput& input = figures.input;
  std::string out;
  if (!input.config_yaml.empty()) {
    out += "<details><summary>Configuration</summary><pre>" + escape_html(input.config_yaml) +
           "</pre></details>\n";
  }
  out += facts("Data", input.data) + facts("Versions", input.versions);
  if (out.empty()) return "";
  return "<section class='card'><h2>How it was made</h2>\n" + out + "</section>\n";
}

}  // namespace casvit::trainer
