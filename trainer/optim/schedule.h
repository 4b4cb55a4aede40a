#pragma once

#include <cstdint>

namespace casvit::trainer {

struct CosineScheduleOptions {
  double peak = 1e-3;
  double minimum = 1e-6;
  double warmup_start = 0;
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 1;
};

/// Learning rate of a step (from 0): linear from `warmup_start`, reaching `peak` at the last
/// warm-up step, then half a cosine to `minimum`. Equals the published trainer's
/// `cosine_scheduler`.
double cosine_learning_rate(const CosineScheduleOptions& options, std::int64_t step);

}  // namespace casvit::trainer
