#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "trainer/model/state.h"
#include "trainer/parallel/partition.h"

namespace casvit::trainer {

struct AdamWOptions {
  double weight_decay = 0.05;  ///< on parameters with two or more dimensions only
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
};

/// AdamW (Loshchilov and Hutter, arXiv:1711.05101) with torch.optim.AdamW's arithmetic, through
/// LibTorch's fused kernel, parameter by parameter, so that neither arrangement nor sharding can
/// change a bit. Keeps moments of, and updates, this rank's parameters.
class AdamW {
 public:
  /// `state` must outlive the optimizer. Moments begin at zero.
  AdamW(ModelState& state, const AdamWOptions& options);

  /// One update. @param gradients flat, laid out as `state.parameters()`; @param update counts the
  /// updates made, this one included, from 1 (bias correction).
  void step(const at::Tensor& gradients, double learning_rate, std::int64_t update);

  /// Replaces the moments. To be called whenever the parameters were arranged anew.
  /// @param first, second of this rank's parts: Partition's own vectors
  void adopt(const Partition& partition, const at::Tensor& first, const at::Tensor& second);

  /// exp_avg and exp_avg_sq of this rank's parts (Partition's own vectors).
  const at::Tensor& first_moment() const { return first_moment_; }
  const at::Tensor& second_moment() const { return second_moment_; }

 private:
  /// Parameters that are updated alike.
  struct Group {
    double weight_decay = 0;
    std::vector<const ModelState::Entry*> entries;
    std::vector<at::Tensor> parameters, first_moments, second_moments;
  };

  ModelState& state_;
  AdamWOptions options_;
  at::Tensor first_moment_, second_moment_;
  std::array<Group, 2> groups_;  ///< decayed, plain
};

}  // namespace casvit::trainer
