#include "trainer/optim/ema.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace casvit::trainer {

double ema_decay(const EmaOptions& options, std::int64_t update) {
  const auto t = static_cast<double>(update);
  return options.warmup ? std::min(options.decay, (1.0 + t) / (10.0 + t)) : options.decay;
}

void update_ema(ModelState& average, const ModelState& model, const EmaOptions& options,
                std::int64_t update) {
  const at::NoGradGuard no_grad;
  const double weight = 1.0 - ema_decay(options, update);
  average.parameters().lerp_(model.parameters(), weight);
  average.buffers().lerp_(model.buffers(), weight);
  average.counters().copy_(model.counters());
}

}  // namespace casvit::trainer
