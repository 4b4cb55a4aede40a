#pragma once

#include <cstdint>
#include <vector>

#include "launch/world.h"
#include "trainer/config/config.h"
#include "trainer/engine/compute.h"
#include "trainer/engine/step_times.h"

namespace casvit::trainer {

struct StepBenchOptions {
  /// Steps that are not counted; as many more as finding the size of gradient buckets takes.
  int warmup = 3;
  int steps = 20;
};

struct StepBench {
  double images_per_second = 0;  ///< of all ranks, median over steps
  double seconds_a_step = 0;     ///< median
  double exposed_share = 0;      ///< of the steps' time, waited for exchanges and for others; mean
                                 ///< over ranks
  std::int64_t images_a_step = 0;
  std::int64_t parameters = 0;
  std::int64_t bucket_bytes = 0;
  std::vector<RankTimes> ranks;          ///< over all counted steps
  std::vector<std::int64_t> peak_bytes;  ///< largest resident memory of each rank's process
  Compute compute;
  int threads = 1;  ///< a rank
};

/// Times whole training steps of this configuration (forward, backward, exchange, clipping, update,
/// EMA) on made-up pictures that are in memory already. Collective; shows on rank 0 how far it is.
/// @throws ConfigError where the ranks do not fit the configuration
StepBench bench_step(const Config& config, const StepBenchOptions& options, launch::World& world);

}  // namespace casvit::trainer
