#include <algorithm>

#include "dataio/container/display.h"
#include "trainer/compare/run_columns.h"
#include "trainer/compare/run_comparison.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

/// A cell that a line has room for, without what would move a terminal's cursor.
std::string cell(const std::string& text) {
  constexpr int kMost = 32;
  std::string out = dataio::display_path(sanitize_utf8(text));
  if (code_points(out) <= kMost) return out;
  // The end of a path says more than its beginning.
  while (code_points(out) > kMost - 3) {
    out.erase(0, 1);
    while (!out.empty() && (static_cast<unsigned char>(out[0]) & 0xc0U) == 0x80U) out.erase(0, 1);
  }
  return "..." + out;
}

/// Columns two spaces apart, the first to the left, others to the right.
std::string table(const std::vector<RunColumn>& columns) {
  std::vector<std::string> lines(columns[0].cells.size() + 1);
  for (const RunColumn& column : columns) {
    const bool first = &column == columns.data();
    std::vector<std::string> cells{column.heading};
    for (const std::string& text : column.cells) cells.push_back(cell(text));
    int width = 0;
    for (const std::string& text : cells) width = std::max(width, code_points(text));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string gap(static_cast<std::size_t>(width - code_points(cells[i])), ' ');
      lines[i] += first ? cells[i] + gap : "  " + gap + cells[i];
    }
  }
  std::string out;
  for (std::string& line : lines) {
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::string comparison_text(const RunComparison& comparison) {
  std::string out = table(run_columns(comparison.summaries));
  if (!comparison.differences.empty()) {
    RunColumn keys{"configuration", {}};
    for (const KeyDifference& one : comparison.differences) keys.cells.push_back(one.key);
    std::vector<RunColumn> columns{keys};
    for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
      RunColumn column{cell(comparison.summaries[i].name), {}};
      for (const KeyDifference& one : comparison.differences) {
        column.cells.push_back(one.values[i].value_or(""));
      }
      columns.push_back(std::move(column));
    }
    out += "\n" + table(columns);
  }
  for (const std::string& note : comparison.notes) {
    out += "\n" + dataio::display_path(sanitize_utf8(note));
  }
  return out + (comparison.notes.empty() ? "" : "\n");
}

}  // namespace casvit::trainer
