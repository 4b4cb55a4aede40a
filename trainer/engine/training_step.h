#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "dataio/loader/loader.h"
#include "launch/communicator.h"
#include "trainer/engine/compute.h"
#include "trainer/model/rcvit.h"
#include "trainer/optim/adamw.h"
#include "trainer/optim/ema.h"
#include "trainer/optim/loss_scaler.h"
#include "trainer/parallel/gradient_sum.h"

namespace casvit::trainer {

struct TrainingStepOptions {
  std::int64_t shards = 1;           ///< of the global batch
  std::int64_t shards_per_rank = 1;  ///< this rank's
  std::uint64_t seed = 0;
  double clip_norm = 0;  ///< 0: off
  double batch_norm_momentum = 0.1;
  at::Tensor class_weights;  ///< `[C]` or undefined
  std::optional<EmaOptions> ema;
};

struct StepResult {
  float loss = 0;        ///< mean over the global batch
  double grad_norm = 0;  ///< before clipping
  bool skipped = false;  ///< fp16 overflow: nothing was updated
  double data_seconds = 0;
  double comm_exposed_seconds = 0;
};

/// One optimisation step over the global batch's shards.
class TrainingStep {
 public:
  /// Everything given must outlive the step; `average` may be null (no EMA).
  TrainingStep(Rcvit& model, ModelState* average, AdamW& optimizer, LossScaler& scaler,
               launch::Communicator& communicator, const Compute& compute,
               const TrainingStepOptions& options);

  /// @param step counted over the whole run, from 0; @param update optimizer updates made so far
  /// (steps less those skipped). @throws DivergedError when the loss is not finite.
  StepResult run(dataio::Loader& loader, std::int64_t step, std::int64_t update,
                 double learning_rate);

 private:
  dataio::Batch next_batch(dataio::Loader& loader);
  at::Tensor forward(const dataio::Batch& batch);
  void backward(const at::Tensor& loss);
  void reduce();
  void clip();
  void update(std::int64_t update, double learning_rate);
  void average(std::int64_t update);

  Rcvit& model_;
  ModelState* average_;
  AdamW& optimizer_;
  LossScaler& scaler_;
  launch::Communicator& communicator_;
  Compute compute_;
  TrainingStepOptions options_;
  GradientSum sum_;
  StepResult result_;
};

}  // namespace casvit::trainer
