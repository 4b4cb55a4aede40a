#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/report/comparison.h"
#include "trainer/report/confusion.h"
#include "trainer/report/judgement.h"
#include "trainer/report/paired_comparison.h"
#include "trainer/report/report.h"
#include "trainer/report/time_budget.h"

namespace casvit::trainer {

/// What the files of a report are written from, computed once. Refers to its input.
struct Figures {
  /// @throws std::logic_error where the parts of an evaluation do not fit one another.
  explicit Figures(const ReportInput& report_input);

  const ReportInput& input;
  const Evaluation& headline;        ///< of the weights that count: EMA where there are any
  std::string weights;               ///< "ema" or "model": which those are
  std::vector<std::string> classes;  ///< names; indices where the input has none
  ConfusionMatrix matrix;
  ClassScores scores;
  Judgement model;
  std::optional<Judgement> ema;
  std::optional<Comparison> comparison;  ///< of the model with its EMA
  TimeBudget time;
  std::optional<PairedComparison> against;  ///< the headline's weights with another model

  const Judgement& best() const { return ema ? *ema : model; }
};

}  // namespace casvit::trainer
