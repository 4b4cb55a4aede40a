#include "trainer/optim/ema.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace casvit::trainer {

double ema_decay(const EmaOptions& options, std::int64_t update) {
  const auto t = static_cast<double>(update);
  return options.warmup ? std::min(options.decay, (1.0 + t) / (10.0 + t)) : options.decay;
}

Ema::Ema(const ModelState& model)
    : parameters_(model.parameters().clone()),
      buffers_(model.buffers().clone()),
      counters_(model.counters().clone()) {}

void Ema::update(const ModelState& model, const EmaOptions& options, std::int64_t update) {
  const at::NoGradGuard no_grad;
  const double weight = 1.0 - ema_decay(options, update);
  parameters_.lerp_(partition_.take(model.parameters()), weight);
  buffers_.lerp_(model.buffers(), weight);
  counters_.copy_(model.counters());
}

void Ema::adopt(const Partition& partition, const at::Tensor& parameters) {
  partition_ = partition;
  parameters_ = parameters;
}

}  // namespace casvit::trainer
