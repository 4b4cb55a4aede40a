#include "trainer/report/evaluation.h"

namespace casvit::trainer {

Accuracy accuracy_of(const Evaluation& evaluation) {
  Accuracy accuracy;
  const auto top_k = static_cast<std::size_t>(evaluation.top_k);
  for (std::size_t i = 0; i < evaluation.label.size(); ++i) {
    const std::int32_t label = evaluation.label[i];
    if (label < 0) continue;
    ++accuracy.samples;
    accuracy.loss += evaluation.loss[i];
    for (std::size_t k = 0; k < top_k; ++k) {
      if (evaluation.top[i * top_k + k] != label) continue;
      ++accuracy.correct5;
      if (k == 0) ++accuracy.correct1;
      break;
    }
  }
  if (accuracy.samples > 0) accuracy.loss /= static_cast<double>(accuracy.samples);
  return accuracy;
}

}  // namespace casvit::trainer
