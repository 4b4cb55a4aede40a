#include "trainer/compare/run_comparison.h"

#include <algorithm>
#include <set>

#include "trainer/config/origins.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::vector<KeyDifference> differences_of(const std::vector<RunRecord>& runs) {
  std::vector<std::vector<KeyValue>> all;
  all.reserve(runs.size());
  for (const RunRecord& run : runs) {
    all.push_back(run.config ? key_values(*run.config) : std::vector<KeyValue>{});
  }
  const auto longest = std::ranges::max_element(all, {}, &std::vector<KeyValue>::size);
  std::vector<KeyDifference> out;
  for (std::size_t k = 0; k < longest->size(); ++k) {
    KeyDifference difference{(*longest)[k].key, {}};
    std::set<std::string> values;
    for (const std::vector<KeyValue>& one : all) {
      difference.values.push_back(one.empty() ? std::nullopt : std::optional(one[k].value));
      if (!one.empty()) values.insert(one[k].value);
    }
    if (values.size() > 1) out.push_back(std::move(difference));
  }
  return out;
}

std::vector<std::string> notes_of(const RunComparison& comparison) {
  std::vector<std::string> notes;
  std::set<std::string> pictures;
  for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
    const RunRecord& run = comparison.runs[i];
    const std::string& name = comparison.summaries[i].name;
    if (!run.config) notes.push_back(name + ": no configuration: " + run.config_problem);
    if (run.history.steps.empty()) notes.push_back(name + ": no steps in metrics.jsonl");
    if (run.report && !run.report->is_current) {
      notes.push_back(name + ": the report is older than the metrics and counts for memory alone");
    }
    if (run.report && !run.report->data_hash.empty()) pictures.insert(run.report->data_hash);
  }
  if (pictures.size() > 1) {
    notes.emplace_back("accuracies were not measured on the same pictures: the reports name " +
                       std::to_string(pictures.size()) + " different sets of validation data");
  }
  return notes;
}

}  // namespace

RunComparison compare_runs(const std::vector<std::string>& folders) {
  RunComparison comparison;
  for (const std::string& folder : folders) comparison.runs.push_back(read_run(folder));
  const std::vector<std::string> names = run_names(comparison.runs);
  for (std::size_t i = 0; i < names.size(); ++i) {
    comparison.summaries.push_back(summarize(comparison.runs[i], names[i]));
  }
  comparison.differences = differences_of(comparison.runs);
  comparison.notes = notes_of(comparison);
  return comparison;
}

}  // namespace casvit::trainer
