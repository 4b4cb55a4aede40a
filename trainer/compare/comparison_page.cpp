#include <algorithm>

#include "trainer/compare/comparison_charts.h"
#include "trainer/compare/run_columns.h"
#include "trainer/compare/run_comparison.h"
#include "trainer/compare/run_tones.h"
#include "trainer/report/html_page.h"
#include "trainer/report/page_assets.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

constexpr const char* kStyle = R"css(
.swatch{width:28px;height:10px;vertical-align:middle;margin-right:8px}
.which{display:inline-block;min-width:1.4em;margin-right:.5em;color:var(--soft);font-weight:600}
.runs{font-size:13px}
.runs td,.runs th{white-space:nowrap;padding:5px 6px}
.runs tbody>*>*{vertical-align:top}
.runs td small{display:block;color:var(--soft);font-size:11.5px}
.key-table td,.key-table th{text-align:left;font-size:13px;overflow-wrap:anywhere;vertical-align:top}
.key-table thead th{min-width:110px}
.key-table tbody th,.key-table td{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.notes{margin:0;padding:0 0 0 18px;font-size:13.5px}
.notes li{overflow-wrap:anywhere}
.choice:has([value=epochs]:checked)~.by-steps,.choice:has([value=steps]:checked)~.by-epochs{display:none}
.overlaid{display:flex;flex-wrap:wrap;gap:4px 22px;margin:0 0 20px;padding:0;list-style:none;font-size:13.5px}
.overlaid li{overflow-wrap:anywhere;unicode-bidi:isolate}
@media (min-width:641px){.key-table tbody th{white-space:nowrap}}
)css";

/// "3" with a line in its tone, where its curves are drawn.
std::string sign_of(std::size_t run) {
  return (run < kMostRunsDrawn ? run_swatch(run) : std::string()) + "<span class='which'>" +
         std::to_string(run + 1) + "</span>";
}

/// "62.01 (58.3-65.6)": the interval below its figure.
std::string cell_html(const std::string& text) {
  const std::size_t interval = text.find(" (");
  if (interval == std::string::npos) return escape_html(text);
  return escape_html(text.substr(0, interval)) + "<small>" +
         escape_html(text.substr(interval + 2, text.size() - interval - 3)) + "</small>";
}

/// Where a key may be broken on a narrow screen.
std::string key_html(const std::string& key) {
  std::string out;
  for (const char c : escape_html(key)) {
    out += c;
    if (c == '.' || c == '_') out += "<wbr>";
  }
  return out;
}

std::string runs_section(const RunComparison& comparison) {
  const std::vector<RunColumn> columns = run_columns(comparison.summaries);
  std::string out =
      "<section class='card'><h2>Runs</h2>\n<p class='lead'>Accuracies are top-1, in percent: the "
      "best with its epoch, and the last with its 95% interval where there is a report. A run "
      "without all its epochs is under way, or ended early.</p>\n<div class='scroll' tabindex='0' "
      "role='region' aria-label='Runs'><table class='small runs sortable'><thead><tr>";
  for (const RunColumn& column : columns) {
    const bool first = &column == columns.data();
    std::string heading = column.heading;
    heading[0] = static_cast<char>(heading[0] >= 'a' && heading[0] <= 'z' ? heading[0] - 'a' + 'A'
                                                                          : heading[0]);
    out += std::string("<th scope='col'") + (first ? " data-sort='text'" : "") + ">" + heading +
           "</th>";
  }
  out += "</tr></thead><tbody>\n";
  for (std::size_t run = 0; run < comparison.runs.size(); ++run) {
    out += "<tr><th scope='row'>" + sign_of(run) + escape_html(columns[0].cells[run]) + "</th>";
    for (std::size_t c = 1; c < columns.size(); ++c) {
      out += "<td>" + cell_html(columns[c].cells[run]) + "</td>";
    }
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
  if (!comparison.notes.empty()) {
    out += "<h3>Notes</h3>\n<ul class='notes'>\n";
    for (const std::string& note : comparison.notes) {
      out += "<li>" + escape_html(note) + "</li>\n";
    }
    out += "</ul>\n";
  }
  return out + "</section>\n";
}

std::string charts_html(const std::vector<Chart>& charts, const std::string& kind) {
  std::string out = "<div class='charts by-" + kind + "'>\n";
  for (const Chart& chart : charts) out += chart_html(chart);
  return out + "</div>\n";
}

std::string curves_section(const RunComparison& comparison) {
  const std::vector<Chart> by_steps = comparison_charts(comparison, Progression::kSteps);
  const std::vector<Chart> by_epochs = comparison_charts(comparison, Progression::kEpochs);
  if (by_steps.empty() && by_epochs.empty()) return "";
  std::string out = "<section class='card'><h2>Curves</h2>\n";
  const std::size_t drawn = std::min(comparison.runs.size(), kMostRunsDrawn);
  if (drawn < comparison.runs.size()) {
    out += "<p class='lead'>Of the first " + std::to_string(drawn) + " of " +
           std::to_string(comparison.runs.size()) + " runs.</p>\n";
  }
  out += "<ul class='overlaid'>\n";
  for (std::size_t run = 0; run < drawn; ++run) {
    out += "<li>" + sign_of(run) + escape_html(comparison.summaries[run].name) + "</li>\n";
  }
  out += "</ul>\n";
  if (!by_epochs.empty() && !by_steps.empty()) {
    out +=
        "<fieldset class='tools choice'><legend class='unseen'>What the curves are drawn "
        "over</legend><label><input type='radio' name='over' value='epochs' checked> by "
        "epoch</label><label><input type='radio' name='over' value='steps'> by step</label>"
        "</fieldset>\n";
  }
  if (!by_epochs.empty()) out += charts_html(by_epochs, "epochs");
  if (!by_steps.empty()) out += charts_html(by_steps, "steps");
  return out +
         "<p class='note'>Losses of steps, learning rate and images per second are means of up to "
         "120 stretches. Validation is of the EMA weights where a run has them.</p></section>\n";
}

std::string differences_section(const RunComparison& comparison) {
  if (comparison.runs.size() < 2) return "";
  std::string out = "<section class='card'><h2>What differs in their configurations</h2>\n";
  if (comparison.differences.empty()) {
    return out + "<p class='lead'>Nothing that is known.</p></section>\n";
  }
  out +=
      "<div class='scroll' tabindex='0' role='region' aria-label='Differences'><table class='small "
      "key-table'><thead><tr><th scope='col'>Key</th>";
  for (std::size_t run = 0; run < comparison.runs.size(); ++run) {
    out +=
        "<th scope='col'>" + sign_of(run) + escape_html(comparison.summaries[run].name) + "</th>";
  }
  out += "</tr></thead><tbody>\n";
  for (const KeyDifference& difference : comparison.differences) {
    out += "<tr><th scope='row'>" + key_html(difference.key) + "</th>";
    for (const std::optional<std::string>& value : difference.values) {
      out += "<td>" + (value ? escape_html(*value) : "") + "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div></section>\n";
}

}  // namespace

std::string comparison_page(const RunComparison& comparison) {
  std::string title;
  constexpr std::size_t kMostNamed = 4;
  for (std::size_t i = 0; i < std::min(kMostNamed, comparison.summaries.size()); ++i) {
    title += (i == 0 ? "" : ", ") + comparison.summaries[i].name;
  }
  if (comparison.summaries.size() > kMostNamed) {
    title += " and " + std::to_string(comparison.summaries.size() - kMostNamed) + " more";
  }
  return html_page({.title = title,
                    .overline = "casvit compare",
                    .body = runs_section(comparison) + curves_section(comparison) +
                            differences_section(comparison),
                    .style = kStyle + run_tones_style(),
                    .script = page_script(),
                    .script_sha256 = page_script_sha256()});
}

}  // namespace casvit::trainer
