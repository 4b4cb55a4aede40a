#include "trainer/report/csv_tables.h"

#include "trainer/report/text.h"

namespace casvit::trainer {

std::string per_class_csv(const Figures& figures) {
  std::string out = "class,precision,recall,f1,support,train_samples\n";
  const auto& train = figures.input.train_counts;
  for (std::size_t c = 0; c < figures.classes.size(); ++c) {
    const Scores& scores = figures.scores.classes[c];
    out += csv_field(figures.classes[c]) + ',' + shortest(scores.precision) + ',' +
           shortest(scores.recall) + ',' + shortest(scores.f1) + ',' +
           std::to_string(scores.support) + ',' + (train.empty() ? "" : std::to_string(train[c])) +
           '\n';
  }
  return out;
}

}  // namespace casvit::trainer
