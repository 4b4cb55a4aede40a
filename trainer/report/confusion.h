#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/report/evaluation.h"

namespace casvit::trainer {

/// How often each class was taken for each other: a row a true class, a column a predicted one.
class ConfusionMatrix {
 public:
  /// Counts the samples whose label is known.
  explicit ConfusionMatrix(const Evaluation& evaluation);

  int classes() const { return classes_; }
  std::int64_t at(int label, int predicted) const {
    return counts_[static_cast<std::size_t>(label) * static_cast<std::size_t>(classes_) +
                   static_cast<std::size_t>(predicted)];
  }
  std::int64_t samples() const { return samples_; }
  std::int64_t correct() const { return correct_; }
  /// Samples of a true class, and samples taken for a class.
  std::int64_t support(int label) const { return support_[static_cast<std::size_t>(label)]; }
  std::int64_t predicted(int as) const { return predicted_[static_cast<std::size_t>(as)]; }

 private:
  int classes_;
  std::vector<std::int64_t> counts_;
  std::vector<std::int64_t> support_;
  std::vector<std::int64_t> predicted_;
  std::int64_t samples_ = 0;
  std::int64_t correct_ = 0;
};

/// Precision, recall and F1 of one class or average; 0 where there is nothing to divide by.
struct Scores {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  std::int64_t support = 0;
};

/// The figures of scikit-learn's precision_recall_fscore_support(zero_division=0), to the bit.
struct ClassScores {
  std::vector<Scores> classes;
  double accuracy = 0;
  Scores macro;     ///< plain mean over classes
  Scores micro;     ///< of all classes together: each figure is the accuracy
  Scores weighted;  ///< mean weighted with support
};

ClassScores class_scores(const ConfusionMatrix& matrix);

/// One kind of mistake.
struct ConfusedPair {
  int label = 0;
  int predicted = 0;
  std::int64_t count = 0;
};

/// The most frequent mistakes, most frequent first, then by class; at most `limit`.
std::vector<ConfusedPair> most_confused(const ConfusionMatrix& matrix, std::size_t limit);

/// confusion_matrix.csv: a header `true\predicted,<class>,...`, then a row a true class.
std::string confusion_csv(const ConfusionMatrix& matrix, const std::vector<std::string>& classes);

/// Sum in the order of numpy's add.reduce over contiguous float64 (blocks of 128, eight partial
/// sums), so that averages have numpy's last bit.
double numpy_sum(std::span<const double> values);

}  // namespace casvit::trainer
