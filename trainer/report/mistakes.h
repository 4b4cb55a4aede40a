#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/report/evaluation.h"

namespace casvit::trainer {

/// One wrong answer.
struct Mistake {
  std::uint64_t sample = 0;
  int label = 0;
  int predicted = 0;
  float probability = 0;         ///< of the wrong class
  double label_probability = 0;  ///< of the true one
};

/// The wrong answers given with most confidence, most confident first; at most `limit`.
std::vector<Mistake> surest_mistakes(const Evaluation& evaluation, std::size_t limit);

/// Those that find the true class least likely, that is with the greatest loss, worst first.
std::vector<Mistake> worst_mistakes(const Evaluation& evaluation, std::size_t limit);

}  // namespace casvit::trainer
