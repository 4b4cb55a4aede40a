#pragma once

#include <cstdint>

namespace casvit::trainer {

/// Dynamic loss scaling for fp16, with torch.amp.GradScaler's constants and rules.
struct LossScaler {
  bool enabled = false;
  double scale = 65536.0;
  std::int64_t good_steps = 0;  ///< steps since the scale last changed

  /// By which losses are multiplied before backward.
  double factor() const { return enabled ? scale : 1.0; }

  static constexpr double kGrowth = 2.0;
  static constexpr double kBackoff = 0.5;
  static constexpr std::int64_t kGrowthInterval = 2000;

  /// After a step: halves the scale when a gradient was not finite, doubles it after 2000 good
  /// steps.
  void update(bool found_inf);
};

}  // namespace casvit::trainer
