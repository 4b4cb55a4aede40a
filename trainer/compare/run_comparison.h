#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/compare/run_record.h"
#include "trainer/compare/run_summary.h"

namespace casvit::trainer {

/// One key that runs have different values of.
struct KeyDifference {
  std::string key;
  std::vector<std::optional<std::string>> values;  ///< `[runs]`, as YAML; absent: not known
};

/// Runs side by side.
struct RunComparison {
  std::vector<RunRecord> runs;
  std::vector<RunSummary> summaries;       ///< `[runs]`
  std::vector<KeyDifference> differences;  ///< in the order of the configuration
  std::vector<std::string> notes;          ///< what a reader has to know of them
};

/// @param folders at least one; see read_run for what it throws
RunComparison compare_runs(const std::vector<std::string>& folders);

/// A table for a terminal, what differs in their configurations, and the notes. Columns that no run
/// has a value for are left out.
std::string comparison_text(const RunComparison& comparison);

/// One line: `runs` (a list of objects; what is not known is null), `differences` (key: values in
/// the order of runs), `notes`.
std::string comparison_json(const RunComparison& comparison);

/// Runs whose curves a page draws: more could not be told apart.
constexpr std::size_t kMostRunsDrawn = 12;

/// A page of its own, as the report's: table, curves over each other by epoch and by step, and what
/// differs in the configurations.
std::string comparison_page(const RunComparison& comparison);

}  // namespace casvit::trainer
