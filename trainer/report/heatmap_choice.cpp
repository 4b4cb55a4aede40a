#include "trainer/report/heatmap_choice.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <set>
#include <utility>

namespace casvit::trainer {

std::vector<std::size_t> choose_for_heatmaps(const Evaluation& evaluation, std::size_t mistakes,
                                             std::size_t right_answers) {
  const auto top_k = static_cast<std::size_t>(evaluation.top_k);
  const auto answer = [&](std::size_t i) { return evaluation.top[i * top_k]; };
  const auto confidence = [&](std::size_t i) { return evaluation.probability[i * top_k]; };

  std::vector<std::size_t> wrong;
  std::vector<std::size_t> right;
  for (std::size_t i = 0; i < evaluation.label.size(); ++i) {
    if (evaluation.label[i] >= 0 && !std::isnan(confidence(i))) {
      (answer(i) == evaluation.label[i] ? right : wrong).push_back(i);
    }
  }
  const auto in_turn = [&](std::vector<std::size_t>& found) {
    std::ranges::stable_sort(found, std::ranges::greater(), confidence);
    std::set<std::pair<std::int32_t, std::int32_t>> kinds;
    std::vector<std::size_t> first;
    std::vector<std::size_t> later;
    for (const std::size_t i : found) {
      const bool is_new = kinds.emplace(evaluation.label[i], answer(i)).second;
      (is_new ? first : later).push_back(i);
    }
    first.insert(first.end(), later.begin(), later.end());
    found = std::move(first);
  };
  in_turn(wrong);
  in_turn(right);

  const std::size_t all = mistakes + right_answers;
  const std::size_t right_shown = std::min(right.size(), all - std::min(mistakes, wrong.size()));
  wrong.resize(std::min(wrong.size(), all - right_shown));
  wrong.insert(wrong.end(), right.begin(),
               right.begin() + static_cast<std::ptrdiff_t>(right_shown));
  return wrong;
}

}  // namespace casvit::trainer
