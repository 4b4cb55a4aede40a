#include <algorithm>

#include "trainer/report/page.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string facts(const std::string& title, const std::map<std::string, std::string>& facts) {
  if (facts.empty()) return "";
  std::string out = "<details><summary>" + title + "</summary><dl>\n";
  for (const auto& [name, value] : facts) {
    out += "<dt>" + escape_html(name) + "</dt><dd>" + escape_html(value) + "</dd>\n";
  }
  return out + "</dl></details>\n";
}

bool is_changed(const ConfigValue& one) { return one.value != one.default_value; }

std::string config_table(const std::vector<ConfigValue>& values, bool all) {
  std::string out =
      "<table class='config'><thead><tr><th scope='col'>Key</th><th scope='col'>Value</th><th "
      "scope='col'>Default</th></tr></thead><tbody>\n";
  for (const ConfigValue& one : values) {
    if (!all && !is_changed(one)) continue;
    out += std::string("<tr") + (all && is_changed(one) ? " class='changed'" : "") +
           "><td class='key'>" + escape_html(one.key) + "</td><td>" + escape_html(one.value) +
           "</td><td>" + (is_changed(one) ? escape_html(one.default_value) : "") + "</td></tr>\n";
  }
  return out + "</tbody></table>";
}

std::string configuration(const ReportInput& input) {
  const auto& values = input.config_values;
  if (values.empty()) {
    if (input.config_yaml.empty()) return "";
    return "<details><summary>Configuration</summary><pre tabindex='0'>" +
           escape_html(input.config_yaml) + "</pre></details>\n";
  }
  const auto changed = std::ranges::count_if(values, is_changed);
  std::string out;
  if (changed > 0) {
    out += "<details open><summary>Configuration that differs from the defaults (" +
           grouped(changed) + " of " + grouped(static_cast<long long>(values.size())) +
           " keys)</summary>" + config_table(values, false) + "</details>\n";
  }
  return out + "<details><summary>Whole configuration</summary>" + config_table(values, true) +
         "</details>\n";
}

}  // namespace

std::string details_section(const Figures& figures) {
  const ReportInput& input = figures.input;
  const std::string out =
      configuration(input) + facts("Data", input.data) + facts("Versions", input.versions);
  if (out.empty()) return "";
  return "<section class='card'><h2>How it was made</h2>\n" + out + "</section>\n";
}

}  // namespace casvit::trainer
