#include "trainer/report/predictions.h"

#include "trainer/report/text.h"

namespace casvit::trainer {

std::string predictions_csv(const Evaluation& evaluation, const std::vector<std::string>& classes,
                            const PathOf& path) {
  const auto name = [&](std::int32_t index) {
    if (index < 0) return std::string();
    return classes.empty() ? std::to_string(index)
                           : csv_field(classes.at(static_cast<std::size_t>(index)));
  };
  const auto top_k = static_cast<std::size_t>(evaluation.top_k);
  std::string out = "path,label";
  for (std::size_t k = 1; k <= top_k; ++k) {
    const std::string column = ",top" + std::to_string(k);
    out += column + column + "_probability";
  }
  out += '\n';
  for (std::size_t i = 0; i < evaluation.label.size(); ++i) {
    out += csv_field(path(evaluation.sample[i])) + ',' + name(evaluation.label[i]);
    for (std::size_t k = 0; k < top_k; ++k) {
      out += ',' + name(evaluation.top[i * top_k + k]) + ',' +
             shortest(evaluation.probability[i * top_k + k]);
    }
    out += '\n';
  }
  return out;
}

}  // namespace casvit::trainer
