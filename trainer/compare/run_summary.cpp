#include "trainer/compare/run_summary.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "trainer/report/time_budget.h"

namespace casvit::trainer {

namespace fs = std::filesystem;

namespace {

using Measured = std::optional<double> EpochMetrics::*;

/// As they were measured during the run; by the report where the metrics have none.
std::optional<BestAndLast> accuracy_over(const History& history, Measured accuracy,
                                         const std::optional<RecordedReport::Weights>& reported) {
  std::optional<BestAndLast> out;
  for (const EpochMetrics& epoch : history.epochs) {
    const std::optional<double>& value = epoch.*accuracy;
    if (!value || !std::isfinite(*value)) continue;
    if (!out || *value > out->best) {
      out = BestAndLast{*value, epoch.epoch, *value, std::nullopt};
    }
    out->last = *value;
  }
  if (!reported) return out;
  if (!out) out = BestAndLast{reported->acc1, 0, reported->acc1, std::nullopt};
  // A report of another evaluation says nothing about this one.
  constexpr double kSame = 1e-6;
  if (std::fabs(out->last - reported->acc1) < kSame) out->interval = reported->acc1_interval;
  return out;
}

std::optional<double> last_of(const History& history, Measured value) {
  std::optional<double> last;
  for (const EpochMetrics& epoch : history.epochs) {
    if (epoch.*value) last = epoch.*value;
  }
  return last;
}

/// Of all steps whose time is known, by that time; the mean of what steps say otherwise.
std::optional<double> speed_of(const History& history) {
  double images = 0;
  double seconds = 0;
  double sum = 0;
  for (const StepMetrics& step : history.steps) {
    sum += step.images_per_second;
    images += step.images_per_second * step.seconds.value_or(0);
    seconds += step.seconds.value_or(0);
  }
  if (seconds > 0) return images / seconds;
  if (history.steps.empty()) return std::nullopt;
  return sum / static_cast<double>(history.steps.size());
}

/// Of a run whose metrics do not say when it started.
std::optional<double> seconds_of_epochs(const History& history) {
  if (history.epochs.empty()) return std::nullopt;
  double seconds = 0;
  for (const EpochMetrics& epoch : history.epochs) seconds += epoch.seconds;
  return seconds;
}

}  // namespace

RunSummary summarize(const RunRecord& run, const std::string& name) {
  const History& history = run.history;
  const RecordedReport report = run.report.value_or(RecordedReport{});
  RunSummary summary;
  summary.name = name;
  summary.has_report = report.is_current;
  summary.epochs = history.epochs.empty() ? 0 : history.epochs.back().epoch;
  if (run.config) summary.epochs_planned = run.config->train.epochs;
  if (!history.steps.empty()) summary.steps = history.steps.back().step;
  summary.model = accuracy_over(history, &EpochMetrics::model_acc1, report.model);
  summary.ema = accuracy_over(history, &EpochMetrics::ema_acc1, report.ema);
  if (!history.epochs.empty()) summary.training_loss = history.epochs.back().train_loss;
  summary.validation_loss = last_of(history, &EpochMetrics::ema_loss);
  if (!summary.validation_loss) {
    summary.validation_loss = last_of(history, &EpochMetrics::model_loss);
  }
  if (!summary.validation_loss) {
    const auto& weights = report.ema ? report.ema : report.model;
    if (weights) summary.validation_loss = weights->loss;
  }
  summary.images_per_second = speed_of(history);
  if (!history.starts.empty()) summary.ranks = history.starts.back().ranks;

  const TimeBudget time = time_budget(history, run.metrics_written);
  if (time.seconds > 0) {
    summary.seconds = time.seconds;
    summary.goodput = time.goodput();
  } else {
    summary.seconds = seconds_of_epochs(history);
  }
  if (report.is_current) {  // it knows more: the whole run, and what came after the last line
    if (report.seconds) summary.seconds = report.seconds;
    if (report.goodput) summary.goodput = report.goodput;
    if (report.images_per_second) summary.images_per_second = report.images_per_second;
    if (report.ranks) summary.ranks = report.ranks;
  }
  summary.peak_memory_bytes = report.peak_memory_bytes;
  return summary;
}

std::vector<std::string> run_names(const std::vector<RunRecord>& runs) {
  std::vector<std::string> names(runs.size());
  const auto is_clear = [&](std::size_t i) { return std::ranges::count(names, names[i]) == 1; };
  std::vector<fs::path> left;
  left.reserve(runs.size());
  for (const RunRecord& run : runs) left.push_back(fs::path(run.folder).lexically_normal());
  for (bool longer = true; longer;) {
    longer = false;
    std::vector<std::string> next = names;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const std::string part = left[i].filename().string();
      if (part.empty() || (!names[i].empty() && is_clear(i))) continue;
      next[i] = names[i].empty() ? part : part + "/" + names[i];
      left[i] = left[i].parent_path();
      longer = true;
    }
    names = std::move(next);
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (names[i].empty()) names[i] = runs[i].folder;
  }
  return names;
}

}  // namespace casvit::trainer
