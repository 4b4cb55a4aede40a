#pragma once

#include <cstdint>

#include "trainer/report/evaluation.h"

namespace casvit::trainer {

/// Two sets of weights on the same pictures.
struct Comparison {
  std::int64_t only_first = 0;   ///< pictures that the first alone has right
  std::int64_t only_second = 0;  ///< and the second alone
  double p_value = 1;            ///< that a difference as large comes by chance
};

/// The exact two-sided test of McNemar (1947) on top-1 answers: under "no difference" the pictures
/// that one alone has right fall to either with probability 1/2. Both evaluations are of the same
/// pictures in the same order.
Comparison compare_answers(const Evaluation& first, const Evaluation& second);

/// P(at most min(a, b) or at least max(a, b)) of a binomial distribution of a + b and 1/2.
double exact_sign_test(std::int64_t a, std::int64_t b);

}  // namespace casvit::trainer
