#include "trainer/report/comparison.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace casvit::trainer {

double exact_sign_test(std::int64_t a, std::int64_t b) {
  const std::int64_t n = a + b;
  double term = -static_cast<double>(n) * std::numbers::ln2;  // log of C(n, 0) / 2^n
  double sum = 0;
  for (std::int64_t k = 0; k <= std::min(a, b); ++k) {
    sum += std::exp(term);
    term += std::log(static_cast<double>(n - k)) - std::log(static_cast<double>(k + 1));
  }
  return std::min(1.0, 2 * sum);
}

Comparison compare_answers(const Evaluation& first, const Evaluation& second) {
  Comparison comparison;
  for (std::size_t i = 0; i < first.label.size(); ++i) {
    if (first.label[i] < 0) continue;
    const bool one = first.top[i * static_cast<std::size_t>(first.top_k)] == first.label[i];
    const bool two = second.top[i * static_cast<std::size_t>(second.top_k)] == first.label[i];
    comparison.only_first += one && !two ? 1 : 0;
    comparison.only_second += two && !one ? 1 : 0;
  }
  comparison.p_value = exact_sign_test(comparison.only_first, comparison.only_second);
  return comparison;
}

}  // namespace casvit::trainer
