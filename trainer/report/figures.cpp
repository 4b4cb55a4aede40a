#include "trainer/report/figures.h"

#include <algorithm>
#include <stdexcept>

namespace casvit::trainer {
namespace {

const Evaluation& checked(const Evaluation& evaluation) {
  const std::size_t n = evaluation.label.size();
  const auto k = static_cast<std::size_t>(evaluation.top_k);
  const auto is_class = [&](std::int32_t c) { return c < evaluation.classes; };
  const auto is_known_class = [&](std::int32_t c) { return c >= 0 && is_class(c); };
  if (evaluation.classes < 1 || evaluation.top_k < 1 || evaluation.sample.size() != n ||
      evaluation.loss.size() != n || evaluation.top.size() != n * k ||
      evaluation.probability.size() != n * k || !std::ranges::all_of(evaluation.label, is_class) ||
      !std::ranges::all_of(evaluation.top, is_known_class)) {
    throw std::logic_error("report: the parts of an evaluation do not fit one another");
  }
  return evaluation;
}

std::vector<std::string> names_of(const ReportInput& input) {
  if (!input.train_counts.empty() &&
      input.train_counts.size() != static_cast<std::size_t>(input.model.classes)) {
    throw std::logic_error("report: as many training counts as classes are needed");
  }
  if (!input.classes.empty()) {
    if (input.classes.size() != static_cast<std::size_t>(input.model.classes)) {
      throw std::logic_error("report: as many class names as classes are needed");
    }
    return input.classes;
  }
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(input.model.classes));
  for (int c = 0; c < input.model.classes; ++c) names.push_back(std::to_string(c));
  return names;
}

Judgement judged(const Evaluation& evaluation, double macro_f1) {
  return {accuracy_of(evaluation), macro_f1, {}, calibration_of(evaluation)};
}

}  // namespace

Figures::Figures(const ReportInput& report_input)
    : input(report_input),
      headline(checked(input.ema ? *input.ema : input.model)),
      weights(input.ema ? "ema" : "model"),
      classes(names_of(input)),
      matrix(headline),
      scores(class_scores(matrix)),
      time(time_budget(input.history, input.written)) {
  if (input.against) {
    if (checked(input.against->evaluation).classes != headline.classes) {
      throw std::logic_error("report: the other model has other classes");
    }
    against = paired_comparison(headline, input.against->evaluation);
  }
  if (!input.ema) {
    model = judged(input.model, scores.macro.f1);
    model.intervals = bootstrap_intervals({&input.model})[0];
    return;
  }
  if (input.ema->label != checked(input.model).label) {
    throw std::logic_error("report: model and EMA were evaluated on other pictures");
  }
  model = judged(input.model, class_scores(ConfusionMatrix(input.model)).macro.f1);
  ema = judged(*input.ema, scores.macro.f1);
  const auto intervals = bootstrap_intervals({&input.model, &*input.ema});
  model.intervals = intervals[0];
  ema->intervals = intervals[1];
  comparison = compare_answers(input.model, *input.ema);
}

}  // namespace casvit::trainer
