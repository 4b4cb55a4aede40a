#include "trainer/compare/run_columns.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

using Cell = std::function<std::string(const RunSummary&)>;

std::string epochs(const RunSummary& run) {
  if (run.steps == 0 && run.epochs == 0) return "";
  const std::string planned =
      run.epochs_planned ? "/" + std::to_string(*run.epochs_planned) : std::string();
  return std::to_string(run.epochs) + planned;
}

using Accuracies = std::optional<BestAndLast> RunSummary::*;

Cell best(Accuracies weights) {
  return [weights](const RunSummary& run) -> std::string {
    const auto& accuracy = run.*weights;
    if (!accuracy) return "";
    return fixed(accuracy->best, 2) +
           (accuracy->best_epoch > 0 ? " @" + std::to_string(accuracy->best_epoch) : "");
  };
}

Cell last(Accuracies weights) {
  return [weights](const RunSummary& run) -> std::string {
    const auto& accuracy = run.*weights;
    if (!accuracy) return "";
    return fixed(accuracy->last, 2) + (accuracy->interval
                                           ? " (" + fixed(accuracy->interval->low, 1) + "-" +
                                                 fixed(accuracy->interval->high, 1) + ")"
                                           : "");
  };
}

/// Printed by `print` where it is known.
Cell where_known(std::optional<double> RunSummary::*value,
                 const std::function<std::string(double)>& print) {
  return [value, print](const RunSummary& run) -> std::string {
    const std::optional<double>& known = run.*value;
    return known && std::isfinite(*known) ? print(*known) : "";
  };
}

std::string loss(double value) { return fixed(value, 4); }

}  // namespace

std::vector<RunColumn> run_columns(const std::vector<RunSummary>& runs) {
  constexpr double kGibibyte = 1024.0 * 1024 * 1024;
  const std::vector<std::pair<std::string, Cell>> all{
      {"run", [](const RunSummary& run) { return sanitize_utf8(run.name); }},
      {"epochs", epochs},
      {"steps",
       [](const RunSummary& run) { return run.steps > 0 ? grouped(run.steps) : std::string(); }},
      {"best model", best(&RunSummary::model)},
      {"last model", last(&RunSummary::model)},
      {"best EMA", best(&RunSummary::ema)},
      {"last EMA", last(&RunSummary::ema)},
      {"train loss", where_known(&RunSummary::training_loss, loss)},
      {"val loss", where_known(&RunSummary::validation_loss, loss)},
      {"images/s", where_known(&RunSummary::images_per_second,
                               [](double value) {
                                 return value < 100 ? fixed(value, 1)
                                                    : grouped(std::llround(value));
                               })},
      {"time", where_known(&RunSummary::seconds, format_duration)},
      {"goodput",
       where_known(&RunSummary::goodput, [](double share) { return fixed(100 * share, 1) + "%"; })},
      {"memory", where_known(&RunSummary::peak_memory_bytes,
                             [&](double bytes) { return fixed(bytes / kGibibyte, 1) + " GiB"; })},
      {"ranks", [](const RunSummary& run) {
         return run.ranks ? std::to_string(*run.ranks) : std::string();
       }}};
  std::vector<RunColumn> columns;
  for (const auto& [heading, cell] : all) {
    RunColumn column{heading, {}};
    for (const RunSummary& run : runs) column.cells.push_back(cell(run));
    if (std::ranges::any_of(column.cells, [](const std::string& text) { return !text.empty(); })) {
      columns.push_back(std::move(column));
    }
  }
  return columns;
}

}  // namespace casvit::trainer
