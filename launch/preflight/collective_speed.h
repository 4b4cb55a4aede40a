#pragma once

#include <cstddef>

#include "launch/communicator.h"

namespace casvit::launch {

/// How fast an all_reduce of float32 goes, by the rank for which it took longest.
struct CollectiveSpeed {
  double latency_seconds = 0;   ///< of one element
  std::size_t bytes = 0;        ///< of the large buffer
  double bytes_per_second = 0;  ///< buffer / time
  /// buffer / time x 2 (n - 1) / n: what each rank sends and receives, which does not depend on the
  /// number of ranks (busbw of NCCL's tests).
  double bus_bytes_per_second = 0;
};

/// Collective; takes a second at most unless a single one of `bytes` takes longer.
/// @param communicator over which it goes
/// @param buffer of `bytes`, where the communicator's buffers are
/// @param host over all the same ranks, for what they tell each other
CollectiveSpeed measure_all_reduce(Communicator& communicator, void* buffer, std::size_t bytes,
                                   Communicator& host);

}  // namespace casvit::launch
