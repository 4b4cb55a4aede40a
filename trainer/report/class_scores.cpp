#include <array>

#include "trainer/report/confusion.h"

namespace casvit::trainer {
namespace {

double divide(double numerator, double denominator) {
  return denominator == 0 ? 0 : numerator / denominator;
}

double mean(const std::vector<double>& values) {
  return numpy_sum(values) / static_cast<double>(values.size());
}

double weighted_mean(std::vector<double> values, const std::vector<double>& weights) {
  const double total = numpy_sum(weights);
  if (total == 0) return mean(values);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= weights[i];
  return numpy_sum(values) / total;
}

}  // namespace

double numpy_sum(std::span<const double> values) {
  constexpr std::size_t kBlock = 128;
  const std::size_t n = values.size();
  if (n < 8) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum;
  }
  if (n <= kBlock) {
    std::array<double, 8> part{};
    for (std::size_t k = 0; k < 8; ++k) part[k] = values[k];
    std::size_t i = 8;
    for (; i < n - n % 8; i += 8) {
      for (std::size_t k = 0; k < 8; ++k) part[k] += values[i + k];
    }
    double sum =
        ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    for (; i < n; ++i) sum += values[i];
    return sum;
  }
  const std::size_t half = n / 2 - n / 2 % 8;
  return numpy_sum(values.first(half)) + numpy_sum(values.subspan(half));
}

ClassScores class_scores(const ConfusionMatrix& matrix) {
  ClassScores scores;
  std::vector<double> precision;
  std::vector<double> recall;
  std::vector<double> f1;
  std::vector<double> weights;
  for (int c = 0; c < matrix.classes(); ++c) {
    const auto right = static_cast<double>(matrix.at(c, c));
    const auto support = static_cast<double>(matrix.support(c));
    const auto predicted = static_cast<double>(matrix.predicted(c));
    const Scores one{divide(right, predicted), divide(right, support),
                     divide(2 * right, support + predicted), matrix.support(c)};
    scores.classes.push_back(one);
    precision.push_back(one.precision);
    recall.push_back(one.recall);
    f1.push_back(one.f1);
    weights.push_back(support);
  }
  scores.accuracy =
      divide(static_cast<double>(matrix.correct()), static_cast<double>(matrix.samples()));
  scores.macro = {mean(precision), mean(recall), mean(f1), matrix.samples()};
  scores.micro = {scores.accuracy, scores.accuracy, scores.accuracy, matrix.samples()};
  scores.weighted = {weighted_mean(precision, weights), weighted_mean(recall, weights),
                     weighted_mean(f1, weights), matrix.samples()};
  return scores;
}

}  // namespace casvit::trainer
