#include "trainer/optim/loss_scaler.h"

#include <cmath>

namespace casvit::trainer {

void LossScaler::update(bool found_inf) {
  if (!enabled) {
    return;
  }
  if (found_inf) {
    scale *= kBackoff;
    good_steps = 0;
  } else if (++good_steps == kGrowthInterval) {
    // Not beyond what float32 holds, in which the scaled loss is.
    if (std::isfinite(scale * kGrowth)) {
      scale *= kGrowth;
    }
    good_steps = 0;
  }
}

}  // namespace casvit::trainer
