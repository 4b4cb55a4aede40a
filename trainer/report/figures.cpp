#include "trainer/report/figures.h"

#include <algorithm>
#include <cmath>
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

}  // namespace

Figures::Figures(const ReportInput& report_input)
    : input(report_input),
      headline(checked(input.ema ? *input.ema : input.model)),
      weights(input.ema ? "ema" : "model"),
      classes(names_of(input)),
      model(accuracy_of(checked(input.model))),
      matrix(headline),
      scores(class_scores(matrix)) {
  if (input.ema) ema = accuracy_of(*input.ema);
}

std::vector<Mistake> surest_mistakes(const Evaluation& evaluation, std::size_t limit) {
  std::vector<Mistake> mistakes;
  const auto top_k = static_cast<std::size_t>(evaluation.top_k);
  for (std::size_t i = 0; i < evaluation.label.size(); ++i) {
    const std::int32_t label = evaluation.label[i];
    const std::int32_t predicted = evaluation.top[i * top_k];
    if (label < 0 || label == predicted) continue;
    mistakes.push_back({evaluation.sample[i], label, predicted, evaluation.probability[i * top_k]});
  }
  std::ranges::stable_sort(mistakes, std::ranges::greater(), &Mistake::probability);
  mistakes.resize(std::min(limit, mistakes.size()));
  return mistakes;
}

Interval wilson_interval(std::int64_t right, std::int64_t samples) {
  if (samples <= 0) return {};
  constexpr double kZ = 1.959963984540054;  // 97.5% of the normal distribution
  const auto n = static_cast<double>(samples);
  const double share = static_cast<double>(right) / n;
  const double middle = share + kZ * kZ / (2 * n);
  const double spread = kZ * std::sqrt(share * (1 - share) / n + kZ * kZ / (4 * n * n));
  const double scale = 100 / (1 + kZ * kZ / n);
  return {std::max(0.0, scale * (middle - spread)), std::min(100.0, scale * (middle + spread))};
}

}  // namespace casvit::trainer
