#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/report/confusion.h"
#include "trainer/report/report.h"

namespace casvit::trainer {

/// What the files of a report are written from, computed once. Refers to its input.
struct Figures {
  /// @throws std::logic_error where the parts of an evaluation do not fit one another.
  explicit Figures(const ReportInput& report_input);

  const ReportInput& input;
  const Evaluation& headline;        ///< of the weights that count: EMA where there are any
  std::string weights;               ///< "ema" or "model": which those are
  std::vector<std::string> classes;  ///< names; indices where the input has none
  Accuracy model;
  std::optional<Accuracy> ema;
  ConfusionMatrix matrix;
  ClassScores scores;

  const Accuracy& best() const { return ema ? *ema : model; }
};

/// One wrong answer.
struct Mistake {
  std::uint64_t sample = 0;
  int label = 0;
  int predicted = 0;
  float probability = 0;  ///< of the wrong class
};

/// The wrong answers given with most confidence, most confident first; at most `limit`.
std::vector<Mistake> surest_mistakes(const Evaluation& evaluation, std::size_t limit);

struct Interval {
  double low = 0;
  double high = 0;
};

/// 95% interval of a share, in percent (Wilson, 1927).
Interval wilson_interval(std::int64_t right, std::int64_t samples);

}  // namespace casvit::trainer
