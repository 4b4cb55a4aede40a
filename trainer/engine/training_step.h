#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "dataio/loader/loader.h"
#include "launch/communicator.h"
#include "trainer/engine/compute.h"
#include "trainer/engine/run_state.h"
#include "trainer/engine/step_times.h"
#include "trainer/parallel/gradient_reducer.h"

namespace casvit::trainer {

struct TrainingStepOptions {
  std::int64_t shards = 1;           ///< of the global batch
  std::int64_t shards_per_rank = 1;  ///< this rank's
  std::uint64_t seed = 0;
  double clip_norm = 0;  ///< 0: off
  double batch_norm_momentum = 0.1;
  at::Tensor class_weights;  ///< `[C]` or undefined
  std::optional<EmaOptions> ema;
  std::function<void()> on_shard;  ///< called before each shard; empty: nobody listens
  ReducerOptions reducer;
};

struct StepResult {
  float loss = 0;        ///< mean over the global batch
  double grad_norm = 0;  ///< before clipping
  bool skipped = false;  ///< fp16 overflow: nothing was updated
  StepTimes times;
  std::vector<dataio::Replacement> replaced;  ///< corrupt pictures among this rank's
  bool stop = false;                          ///< a rank was asked to stop; the same on all ranks
};

/// One optimisation step over the global batch's shards.
class TrainingStep {
 public:
  /// Arranges the state's tensors as the reducer's buckets; `state` must outlive the step, and be
  /// arranged by nobody else.
  TrainingStep(RunState& state, launch::Communicator& communicator, const Compute& compute,
               const TrainingStepOptions& options);

  /// The step after `state.step` steps; counts itself there. @param stop this rank was asked to.
  /// @throws DivergedError when the loss is not finite.
  StepResult run(dataio::Loader& loader, double learning_rate, bool stop);

 private:
  dataio::Batch next_batch(dataio::Loader& loader);
  at::Tensor forward(const dataio::Batch& batch);
  void backward(const at::Tensor& loss);
  void reduce();
  void clip();
  void update(double learning_rate);
  void average();
  void follow_order_of_arrival();

  at::Tensor statistics() const;   ///< of batch norm, summed: laid out as `ModelState::buffers()`
  at::Tensor loss_sum() const;     ///< `[1]`
  at::Tensor stop_wishes() const;  ///< `[1]`: how many ranks were asked to stop
  at::Tensor gradients() const { return reducer_.gradients().view(at::kFloat); }

  RunState& state_;
  launch::Communicator& communicator_;
  Compute compute_;
  TrainingStepOptions options_;
  GradientReducer reducer_;
  bool followed_ = false;  ///< the buckets follow the order in which gradients arrive
  StepResult result_;
};

}  // namespace casvit::trainer
