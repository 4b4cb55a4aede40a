#include "trainer/engine/judge.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

namespace casvit::trainer {
namespace {

template <typename T>
void pack(std::string& bytes, const std::vector<T>& values) {
  const auto* data = reinterpret_cast<const char*>(values.data());
  bytes.append(data, values.size() * sizeof(T));
}

template <typename T>
void unpack(const char*& bytes, std::size_t count, std::vector<T>& values) {
  const std::size_t before = values.size();
  values.resize(before + count);
  std::memcpy(values.data() + before, bytes, count * sizeof(T));
  bytes += count * sizeof(T);
}

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// log(sum(exp(values))) in float64.
template <typename T>
double log_sum_exp(const T* values, std::size_t count) {
  const double largest = *std::max_element(values, values + count);
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += std::exp(static_cast<double>(values[i]) - largest);
  }
  return largest + std::log(sum);
}

/// The `k` classes with the highest scores, highest first; of equal ones the lower class.
template <typename T>
std::vector<std::int32_t> best_of(const T* scores, std::size_t classes, int k) {
  std::vector<std::int32_t> order(classes);
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + k, order.end(),
                    [&](std::int32_t a, std::int32_t b) {
                      return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
                    });
  order.resize(static_cast<std::size_t>(k));
  return order;
}

}  // namespace

void judge(const float* logits, std::uint64_t sample, std::int32_t label, Evaluation& evaluation) {
  const auto classes = static_cast<std::size_t>(evaluation.classes);
  const double log_sum = log_sum_exp(logits, classes);
  evaluation.sample.push_back(sample);
  evaluation.label.push_back(label);
  evaluation.loss.push_back(label < 0 ? kUnknown : log_sum - static_cast<double>(logits[label]));
  for (const std::int32_t c : best_of(logits, classes, evaluation.top_k)) {
    evaluation.top.push_back(c);
    evaluation.probability.push_back(
        static_cast<float>(std::exp(static_cast<double>(logits[c]) - log_sum)));
  }
}

void judge_views(const float* logits, int views, std::uint64_t sample, std::int32_t label,
                 Evaluation& evaluation) {
  const auto classes = static_cast<std::size_t>(evaluation.classes);
  std::vector<double> probability(classes, 0.0);  // the sum over views, then their mean
  std::vector<double> of_label;                   // logarithms, a view each
  for (int v = 0; v < views; ++v, logits += classes) {
    const double log_sum = log_sum_exp(logits, classes);
    for (std::size_t c = 0; c < classes; ++c) {
      probability[c] += std::exp(static_cast<double>(logits[c]) - log_sum);
    }
    if (label >= 0) {
      of_label.push_back(static_cast<double>(logits[label]) - log_sum);
    }
  }
  for (double& one : probability) {
    one /= views;
  }
  evaluation.sample.push_back(sample);
  evaluation.label.push_back(label);
  // By logarithms: a probability too small for a float64 still has a finite loss.
  evaluation.loss.push_back(
      label < 0 ? kUnknown : std::log(views) - log_sum_exp(of_label.data(), of_label.size()));
  for (const std::int32_t c : best_of(probability.data(), classes, evaluation.top_k)) {
    evaluation.top.push_back(c);
    evaluation.probability.push_back(static_cast<float>(probability[static_cast<std::size_t>(c)]));
  }
}

std::optional<Evaluation> gather_evaluation(const Evaluation& mine, bool stopped,
                                            launch::Communicator& communicator) {
  std::string bytes;
  pack(bytes, std::vector<std::uint64_t>{mine.sample.size(), stopped ? 1U : 0U});
  pack(bytes, mine.sample);
  pack(bytes, mine.loss);
  pack(bytes, mine.label);
  pack(bytes, mine.top);
  pack(bytes, mine.probability);

  Evaluation all{.classes = mine.classes,
                 .top_k = mine.top_k,
                 .sample = {},
                 .label = {},
                 .top = {},
                 .probability = {},
                 .loss = {}};
  for (const std::string& part :
       launch::all_gather_strings(communicator, bytes, "the results of the evaluation")) {
    const char* at = part.data();
    std::vector<std::uint64_t> head;
    unpack(at, 2, head);
    if (head[1] != 0) {
      return std::nullopt;
    }
    const std::size_t n = head[0];
    const std::size_t k = n * static_cast<std::size_t>(mine.top_k);
    unpack(at, n, all.sample);
    unpack(at, n, all.loss);
    unpack(at, n, all.label);
    unpack(at, k, all.top);
    unpack(at, k, all.probability);
  }

  std::vector<std::size_t> order(all.sample.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return all.sample[a] < all.sample[b]; });
  Evaluation sorted{.classes = mine.classes,
                    .top_k = mine.top_k,
                    .sample = {},
                    .label = {},
                    .top = {},
                    .probability = {},
                    .loss = {}};
  const auto k = static_cast<std::size_t>(mine.top_k);
  for (const std::size_t i : order) {
    sorted.sample.push_back(all.sample[i]);
    sorted.label.push_back(all.label[i]);
    sorted.loss.push_back(all.loss[i]);
    for (std::size_t j = i * k; j < (i + 1) * k; ++j) {
      sorted.top.push_back(all.top[j]);
      sorted.probability.push_back(all.probability[j]);
    }
  }
  return sorted;
}

}  // namespace casvit::trainer
