#pragma once

#include <cstdint>

namespace casvit::trainer {

/// Dynamic loss scaling for fp16, with torch.amp.GradScaler's constants and rules.
struct LossScaler {
  bool enabled = false;
  float scale = 65536.0F;
  std::int64_t good_steps = 0;  ///< steps since the scale last changed

  /// By which losses are multiplied before backward.
  double factor() const { return enabled ? static_cast<double>(scale) : 1.0; }

  static constexpr float kGrowth = 2.0F;
  static constexpr float kBackoff = 0.5F;
  static constexpr std::int64_t kGrowthInterval = 2000;

  /// After a step: halves the scale when a gradient was not finite, doubles it after 2000 good
  /// steps.
  void update(bool found_inf);
};

}  // namespace casvit::trainer
