#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "launch/communicator.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/model/rcvit.h"
#include "trainer/optim/ema.h"
#include "trainer/optim/loss_scaler.h"
#include "trainer/optim/optimizer.h"
#include "trainer/parallel/partition.h"

namespace casvit::trainer {

/// Everything that training changes: what a checkpoint holds.
struct RunState {
  Rcvit model;
  std::optional<Ema> average;
  Optimizer optimizer;
  Partition partition;  ///< of the parameters, which optimizer and average follow
  LossScaler scaler;
  std::int64_t step = 0;    ///< steps done over the whole run
  std::int64_t update = 0;  ///< optimizer updates made: steps less those skipped by the loss scaler
  double epoch_loss_sum = 0;
  std::int64_t replaced = 0;  ///< corrupt pictures, of all ranks
  std::int64_t replaced_in_epoch = 0;
  std::int64_t skipped = 0;  ///< steps that were not finite, see train.on_nonfinite
  std::int64_t skipped_in_epoch = 0;
  std::int64_t skipped_in_row = 0;
  double best_acc1 = -1;
  int best_epoch = 0;
  double patience_acc1 = -1;  ///< the last best that was better by train.min_delta
  std::int64_t evaluations_since_best = 0;
  double seconds_before = 0;
  std::int64_t bucket_bytes = 0;  ///< size of gradient buckets found fastest; 0: none yet

  RunState(const RcvitOptions& model, const OptimizerOptions& optimizer, const RuleOptions& rules,
           bool with_average, const at::Device& device);

  /// Moves parameters, moments and average into another layout; no value changes. Collective where
  /// one of the two is sharded.
  void arrange(const BucketLayout& layout, launch::Communicator& communicator);
  /// The average as a model of its own, for evaluation. Collective where sharded.
  Rcvit average_model(launch::Communicator& communicator) const;
};

/// The tensors of a checkpoint: model.*, ema.*, optimizer.exp_avg.*, optimizer.exp_avg_sq.*,
/// scaler.*, whole, however they are sharded; on rank 0, which writes them, and nothing on the
/// others. Some share memory with the state. Collective where sharded.
std::vector<NamedTensor> checkpoint_tensors(const RunState& state,
                                            launch::Communicator& communicator);

/// Puts a checkpoint's tensors and counters back, into a state that is not sharded yet. A loss
/// scale begins anew where it was not scaled before. @throws CheckpointError naming the first
/// tensor that is missing or has another shape.
void restore(RunState& state, const Checkpoint& checkpoint);

}  // namespace casvit::trainer
