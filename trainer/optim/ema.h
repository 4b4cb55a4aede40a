#pragma once

#include <cstdint>

#include "trainer/model/state.h"

namespace casvit::trainer {

struct EmaOptions {
  double decay = 0.9995;
  bool warmup = false;  ///< smaller at first: min(decay, (1 + t) / (10 + t))
};

/// The decay at update t (from 0), as timm's and TensorFlow's averaged models warm it up.
double ema_decay(const EmaOptions& options, std::int64_t update);

/// average = decay * average + (1 - decay) * model, over parameters and batch norm buffers;
/// counters are copied. @param update updates made before this one.
void update_ema(ModelState& average, const ModelState& model, const EmaOptions& options,
                std::int64_t update);

}  // namespace casvit::trainer
