#pragma once

#include <cstdint>
#include <vector>

namespace casvit::trainer {

/// What a model said of every sample of a data set, once each, in ascending order of `sample`.
/// No LibTorch here: this is what reports are made of.
struct Evaluation {
  int classes = 0;
  int top_k = 0;                      ///< min(5, classes)
  std::vector<std::uint64_t> sample;  ///< `[n]` position in the data set
  std::vector<std::int32_t> label;    ///< `[n]`, -1 where unknown
  std::vector<std::int32_t>
      top;  ///< `[n, top_k]` classes by falling probability; ties: lower class first
  std::vector<float> probability;  ///< `[n, top_k]` softmax of the logits
  std::vector<double> loss;        ///< `[n]` cross entropy (no smoothing), float64

  std::int64_t samples() const { return static_cast<std::int64_t>(label.size()); }
};

struct Accuracy {
  std::int64_t samples = 0;
  std::int64_t correct1 = 0;
  std::int64_t correct5 = 0;
  double loss = 0;  ///< mean over samples

  double acc1() const {
    return samples ? 100.0 * static_cast<double>(correct1) / static_cast<double>(samples) : 0;
  }
  double acc5() const {
    return samples ? 100.0 * static_cast<double>(correct5) / static_cast<double>(samples) : 0;
  }
};

Accuracy accuracy_of(const Evaluation& evaluation);

}  // namespace casvit::trainer
