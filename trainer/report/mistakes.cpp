#include "trainer/report/mistakes.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace casvit::trainer {
namespace {

/// Wrong answers by falling `rank`, then in the order of the data; without those that have none.
std::vector<Mistake> ranked(const Evaluation& evaluation, std::size_t limit,
                            const std::function<double(std::size_t)>& rank) {
  const auto top_k = static_cast<std::size_t>(evaluation.top_k);
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < evaluation.label.size(); ++i) {
    if (evaluation.label[i] >= 0 && evaluation.label[i] != evaluation.top[i * top_k] &&
        !std::isnan(rank(i))) {
      wrong.push_back(i);
    }
  }
  std::ranges::stable_sort(wrong, std::ranges::greater(), rank);
  wrong.resize(std::min(limit, wrong.size()));
  std::vector<Mistake> mistakes;
  mistakes.reserve(wrong.size());
  for (const std::size_t i : wrong) {
    mistakes.push_back({evaluation.sample[i], evaluation.label[i], evaluation.top[i * top_k],
                        evaluation.probability[i * top_k], std::exp(-evaluation.loss[i])});
  }
  return mistakes;
}

}  // namespace

std::vector<Mistake> surest_mistakes(const Evaluation& evaluation, std::size_t limit) {
  const auto top_k = static_cast<std::size_t>(evaluation.top_k);
  return ranked(evaluation, limit, [&](std::size_t i) {
    return static_cast<double>(evaluation.probability[i * top_k]);
  });
}

std::vector<Mistake> worst_mistakes(const Evaluation& evaluation, std::size_t limit) {
  return ranked(evaluation, limit, [&](std::size_t i) { return evaluation.loss[i]; });
}

}  // namespace casvit::trainer
