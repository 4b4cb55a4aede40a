#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "trainer/model/state.h"
#include "trainer/parallel/partition.h"

namespace casvit::trainer {

struct EmaOptions {
  double decay = 0.9995;
  bool warmup = false;  ///< smaller at first: min(decay, (1 + t) / (10 + t))
};

/// The decay at update t (from 0), as timm's and TensorFlow's averaged models warm it up.
double ema_decay(const EmaOptions& options, std::int64_t update);

/// The exponential moving average of a model: of this rank's parameters, and of all buffers.
class Ema {
 public:
  /// Starts as a copy of `model`, all of it.
  explicit Ema(const ModelState& model);

  /// average = decay * average + (1 - decay) * model, over parameters and batch norm buffers;
  /// counters are copied. @param update updates made before this one
  void update(const ModelState& model, const EmaOptions& options, std::int64_t update);

  /// Replaces the parameters. To be called whenever the model's parameters were arranged anew.
  /// @param parameters this rank's: a Partition's own vector
  void adopt(const Partition& partition, const at::Tensor& parameters);

  const at::Tensor& own_parameters() const { return parameters_; }  ///< Partition's own vector
  const at::Tensor& buffers() const { return buffers_; }            ///< as `ModelState::buffers()`
  const at::Tensor& counters() const { return counters_; }

 private:
  Partition partition_;
  at::Tensor parameters_, buffers_, counters_;
};

}  // namespace casvit::trainer
