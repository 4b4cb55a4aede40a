#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tools/scale/schedule/model_profile.h"
#include "trainer/parallel/bucket_layout.h"

namespace casvit::scale {

/// The reducer's settings, named as in `trainer::ReducerOptions` and the configuration.
struct ReducerSettings {
  std::int64_t bucket_bytes = 4'000'000;
  std::int64_t first_bucket_bytes = 512 << 10;
  bool bfloat16_transport = false;
  bool zero = false;
};

/// How long a rank computes. There is no network in it.
struct ComputeTimes {
  double forward_seconds = 0;
  double backward_seconds = 0;
  double optimizer_seconds = 0;  ///< of one rank that updates all parameters
};

/// Times of a step from what the model multiplies: 2 FLOPs a multiply-accumulate, backward twice
/// forward (split by the measured share), the optimizer bound by memory.
/// @param flops_per_second what a device achieves, not its peak
/// @param memory_bytes_per_second likewise
ComputeTimes compute_times(const ModelProfile& profile, int samples, double flops_per_second,
                           double memory_bytes_per_second);

/// One collective of a step.
struct Transfer {
  enum class Kind { kAllReduce, kReduceScatter, kAllGather };
  Kind kind = Kind::kAllReduce;
  std::int64_t bytes = 0;          ///< of the whole vector that is exchanged
  std::int64_t element_bytes = 4;  ///< of what travels
  double ready_seconds = 0;        ///< earliest launch, from the start of the step
  std::optional<std::size_t> bucket;
};

/// What one rank does in a step, as GradientReducer and TrainingStep do it: buckets strictly in
/// order, each as soon as its last gradient and those of all before it have arrived, then the tail
/// (batch statistics, loss, wishes to stop), all waited for; the exchange of norms where the
/// optimizer is sharded; the update; and where sharded the gathering of the new weights.
struct StepSchedule {
  trainer::BucketLayout layout;
  std::vector<Transfer> during_backward;  ///< buckets, then the tail
  std::optional<Transfer> norms;
  std::vector<Transfer> after_update;
  double compute_seconds = 0;    ///< forward and backward: when the rank begins to wait
  double optimizer_seconds = 0;  ///< of this rank's part

  static StepSchedule make(const ModelProfile& profile, const ReducerSettings& settings,
                           const ComputeTimes& times, int ranks);
};

}  // namespace casvit::scale
