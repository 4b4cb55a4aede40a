#include "trainer/report/paired_comparison.h"

#include <algorithm>
#include <stdexcept>

#include "trainer/report/confusion.h"

namespace casvit::trainer {
namespace {

std::int32_t answer(const Evaluation& evaluation, std::size_t place) {
  return evaluation.top[place * static_cast<std::size_t>(evaluation.top_k)];
}

Judgement judged(const Evaluation& evaluation, const BootstrapIntervals& intervals) {
  return {accuracy_of(evaluation), class_scores(ConfusionMatrix(evaluation)).macro.f1, intervals,
          calibration_of(evaluation)};
}

/// Surest first; equally sure ones stay in their order.
void sort_by_confidence(std::vector<std::size_t>& places, const Evaluation& evaluation) {
  std::ranges::stable_sort(places, std::ranges::greater(), [&](std::size_t place) {
    return evaluation.probability[place * static_cast<std::size_t>(evaluation.top_k)];
  });
}

}  // namespace

PairedComparison paired_comparison(const Evaluation& own, const Evaluation& other) {
  if (own.sample != other.sample || own.label != other.label) {
    throw std::logic_error("two models were evaluated on different pictures");
  }
  const PairedIntervals intervals = paired_intervals(own, other);
  PairedComparison paired{.own = judged(own, intervals.first),
                          .other = judged(other, intervals.second),
                          .difference = intervals.difference,
                          .answers = compare_answers(own, other),
                          .classes = {},
                          .gained = {},
                          .lost = {}};
  paired.classes.resize(static_cast<std::size_t>(own.classes));
  for (std::size_t i = 0; i < own.label.size(); ++i) {
    const std::int32_t label = own.label[i];
    if (label < 0) continue;
    ClassChange& of_class = paired.classes[static_cast<std::size_t>(label)];
    const bool right = answer(own, i) == label;
    const bool other_right = answer(other, i) == label;
    ++of_class.support;
    of_class.both += right && other_right ? 1 : 0;
    of_class.gained += right && !other_right ? 1 : 0;
    of_class.lost += other_right && !right ? 1 : 0;
    if (right && !other_right) paired.gained.push_back(i);
    if (other_right && !right) paired.lost.push_back(i);
  }
  sort_by_confidence(paired.gained, other);
  sort_by_confidence(paired.lost, own);
  return paired;
}

}  // namespace casvit::trainer
