#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

#include "trainer/model/state.h"

namespace casvit::trainer {

struct AdamWOptions {
  double weight_decay = 0.05;  ///< on parameters with two or more dimensions only
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
};

/// AdamW (Loshchilov and Hutter, arXiv:1711.05101) with torch.optim.AdamW's arithmetic, through
/// LibTorch's fused kernel on the flat parameters.
class AdamW {
 public:
  /// `state` must outlive the optimizer.
  AdamW(ModelState& state, const AdamWOptions& options);

  /// One update. @param gradients flat, laid out as `state.parameters()`; @param update counts the
  /// updates made, this one included, from 1 (bias correction).
  void step(const at::Tensor& gradients, double learning_rate, std::int64_t update);

  const at::Tensor& first_moment() const { return first_moment_; }    ///< exp_avg, flat
  const at::Tensor& second_moment() const { return second_moment_; }  ///< exp_avg_sq, flat

 private:
  ModelState& state_;
  AdamWOptions options_;
  at::Tensor first_moment_, second_moment_;
};

}  // namespace casvit::trainer
