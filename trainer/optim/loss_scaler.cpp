#include "trainer/optim/loss_scaler.h"

namespace casvit::trainer {

void LossScaler::update(bool found_inf) {
  if (!enabled) {
    return;
  }
  if (found_inf) {
    scale *= kBackoff;
    good_steps = 0;
  } else if (++good_steps == kGrowthInterval) {
    scale *= kGrowth;
    good_steps = 0;
  }
}

}  // namespace casvit::trainer
