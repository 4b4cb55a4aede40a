#include "trainer/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace casvit::trainer {

double cosine_learning_rate(const CosineScheduleOptions& options, std::int64_t step) {
  if (step < options.warmup_steps) {
    if (options.warmup_steps == 1) {
      return options.warmup_start;  // as numpy.linspace of one value
    }
    const double share = static_cast<double>(step) / static_cast<double>(options.warmup_steps - 1);
    return options.warmup_start + share * (options.peak - options.warmup_start);
  }
  const auto length = static_cast<double>(options.total_steps - options.warmup_steps);
  const double share = std::min(1.0, static_cast<double>(step - options.warmup_steps) / length);
  return options.minimum +
         0.5 * (options.peak - options.minimum) * (1.0 + std::cos(std::numbers::pi * share));
}

}  // namespace casvit::trainer
