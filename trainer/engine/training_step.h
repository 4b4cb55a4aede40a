#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "dataio/loader/loader.h"
#include "launch/communicator.h"
#include "trainer/engine/compute.h"
#include "trainer/engine/phase_clock.h"
#include "trainer/engine/run_state.h"
#include "trainer/engine/step_times.h"
#include "trainer/optim/gradient_clipping.h"
#include "trainer/optim/loss.h"
#include "trainer/optim/schedule.h"
#include "trainer/parallel/bucket_tuner.h"
#include "trainer/parallel/gradient_reducer.h"

namespace casvit::trainer {

struct TrainingStepOptions {
  std::int64_t shards = 1;           ///< of the global batch
  std::int64_t shards_per_rank = 1;  ///< this rank's
  std::uint64_t seed = 0;
  ClipOptions clip;
  double batch_norm_momentum = 0.1;
  LossOptions loss;
  const Rcvit* teacher = nullptr;  ///< outlives the step; none: no distillation
  DistillationOptions distillation;
  /// A step whose loss or gradients are not finite updates nothing, instead of ending the run, up
  /// to so many in a row.
  bool skips_nonfinite = false;
  std::int64_t most_skipped_in_row = 0;
  std::optional<EmaOptions> ema;
  std::function<void()> on_shard;  ///< called before each shard; empty: nobody listens
  /// Batch norm over the shards of all ranks together: a shard a rank.
  bool synchronized_batch_norm = false;
  /// Of gradient buckets; 0: found by trial in the first steps.
  std::int64_t bucket_bytes = 0;
  ReducerOptions reducer;
};

struct StepResult {
  float loss = 0;          ///< mean over the global batch
  double grad_norm = 0;    ///< before clipping
  bool skipped = false;    ///< nothing was updated: not finite, or an overflow of fp16
  bool nonfinite = false;  ///< and that was no overflow
  /// Of this step, on a GPU of the one before (see PhaseClock).
  StepTimes times;
  std::vector<dataio::Replacement> replaced;  ///< corrupt pictures among this rank's
  bool stop = false;                          ///< a rank was asked to stop; the same on all ranks
};

/// Gives this rank's next shard; nullopt: there is none, which a step takes for a defect.
using BatchSource = std::function<std::optional<dataio::Batch>()>;

/// One optimisation step over the global batch's shards.
class TrainingStep {
 public:
  /// Arranges the state's tensors as the reducer's buckets; `state` must outlive the step, and be
  /// arranged by nobody else.
  TrainingStep(RunState& state, launch::Communicator& communicator, const Compute& compute,
               const TrainingStepOptions& options);

  /// The step after `state.step` steps; counts itself there. @param stop this rank was asked to.
  /// @throws DivergedError when loss or gradients are not finite, as far as the options forbid it
  StepResult run(const BatchSource& batches, const StepRates& rates, bool stop);

  /// The size of gradient buckets that trials found or that was given; 0 while they go on.
  std::int64_t bucket_bytes() const { return tuner_.done() ? tuner_.bucket_bytes() : 0; }
  /// When the device did what, and what ranks exchanged: of the step that StepResult::times are of,
  /// and of the last one.
  const std::vector<PhaseClock::Span>& phases() const { return clock_.spans(); }
  std::vector<ExchangeSpan> exchanges() const { return reducer_.exchanges(); }

 private:
  dataio::Batch next_batch(const BatchSource& batches);
  at::Tensor forward(const dataio::Batch& batch, double drop_path_factor);
  at::Tensor loss_of(const Rcvit::Output& output, const at::Tensor& images,
                     const at::Tensor& targets) const;
  void backward(const at::Tensor& loss);
  void reduce();
  void judge();
  void clip();
  void update(const StepRates& rates);
  void move_running_statistics();
  void average();
  void arrange_buckets(double seconds);

  at::Tensor statistics() const;   ///< of batch norm, summed: laid out as `ModelState::buffers()`
  at::Tensor loss_sum() const;     ///< `[1]`
  at::Tensor stop_wishes() const;  ///< `[1]`: how many ranks were asked to stop
  at::Tensor gradients() const { return reducer_.gradients().view(at::kFloat); }

  RunState& state_;
  launch::Communicator& communicator_;
  Compute compute_;
  TrainingStepOptions options_;
  BucketTuner tuner_;
  GradientReducer reducer_;
  at::Tensor momenta_;     ///< of the running statistics where some are frozen, else undefined
  bool followed_ = false;  ///< the buckets follow the order in which gradients arrive
  PhaseClock clock_;
  double waited_for_data_ = 0;  ///< by the host, in this step, seconds
  double pixels_ = 0;           ///< of this rank's pictures in this step
  StepResult result_;
};

}  // namespace casvit::trainer
