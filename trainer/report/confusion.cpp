#include "trainer/report/confusion.h"

#include <algorithm>
#include <tuple>

#include "trainer/report/text.h"

namespace casvit::trainer {

ConfusionMatrix::ConfusionMatrix(const Evaluation& evaluation)
    : classes_(evaluation.classes),
      counts_(static_cast<std::size_t>(classes_) * static_cast<std::size_t>(classes_)),
      support_(static_cast<std::size_t>(classes_)),
      predicted_(static_cast<std::size_t>(classes_)) {
  for (std::size_t i = 0; i < evaluation.label.size(); ++i) {
    if (evaluation.label[i] < 0) continue;
    const auto label = static_cast<std::size_t>(evaluation.label[i]);
    const auto as =
        static_cast<std::size_t>(evaluation.top[i * static_cast<std::size_t>(evaluation.top_k)]);
    ++counts_.at(label * static_cast<std::size_t>(classes_) + as);
    ++support_.at(label);
    ++predicted_.at(as);
    ++samples_;
    if (label == as) ++correct_;
  }
}

std::vector<ConfusedPair> most_confused(const ConfusionMatrix& matrix, std::size_t limit) {
  std::vector<ConfusedPair> pairs;
  for (int label = 0; label < matrix.classes(); ++label) {
    for (int as = 0; as < matrix.classes(); ++as) {
      if (label != as && matrix.at(label, as) > 0)
        pairs.push_back({label, as, matrix.at(label, as)});
    }
  }
  std::ranges::sort(pairs, [](const ConfusedPair& a, const ConfusedPair& b) {
    return std::tuple(-a.count, a.label, a.predicted) < std::tuple(-b.count, b.label, b.predicted);
  });
  pairs.resize(std::min(limit, pairs.size()));
  return pairs;
}

std::string confusion_csv(const ConfusionMatrix& matrix, const std::vector<std::string>& classes) {
  std::string out = "true\\predicted";
  for (const std::string& name : classes) out += ',' + csv_field(name);
  out += '\n';
  for (int label = 0; label < matrix.classes(); ++label) {
    out += csv_field(classes[static_cast<std::size_t>(label)]);
    for (int as = 0; as < matrix.classes(); ++as) out += ',' + std::to_string(matrix.at(label, as));
    out += '\n';
  }
  return out;
}

}  // namespace casvit::trainer
