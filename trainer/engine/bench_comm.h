#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

#include "launch/world.h"

namespace casvit::trainer {

enum class BenchCollective { kAllReduce, kReduceScatter, kAllGather, kBroadcast };

struct BenchCommOptions {
  BenchCollective collective = BenchCollective::kAllReduce;
  at::ScalarType type = at::kFloat;
  /// Of buffers as nccl-tests counts them: what is reduced or broadcast, the whole input of
  /// reduce_scatter, the whole output of all_gather. Rounded down to whole elements a rank, of
  /// which there is one at least.
  std::vector<std::uint64_t> bytes;
  int warmup = 5;    ///< before each size, beside one whose result is checked
  int repeats = 20;  ///< that are timed
  at::Device device = at::kCPU;
};

/// One size. Bandwidths are those of nccl-tests (doc/PERFORMANCE.md there), with the median over
/// repeats of the time that the slowest rank took, from a common barrier on.
struct CommFigures {
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;   ///< elements in `bytes`
  double seconds = 0;        ///< median
  double seconds_least = 0;  ///< of the fastest repeat
  double algorithm_bytes_per_second = 0;
  double bus_bytes_per_second = 0;
  double cpu_seconds = 0;   ///< user and system, of all threads of all ranks, a repeat (mean)
  std::uint64_t wrong = 0;  ///< elements of all ranks, in the repeat that is checked
};

/// The bytes that each rank's link must carry, over `bytes`: what bus bandwidth is made of.
/// 2 (n - 1) / n for all_reduce, (n - 1) / n for reduce_scatter and all_gather, 1 for broadcast.
double bus_factor(BenchCollective collective, int ranks);

/// Collective; every rank has the same figures. Uses the communicator that training would: NCCL
/// between GPUs, the world's own on CPUs. Shows on rank 0 how far it is.
/// @throws CommunicationError; WorldError when two ranks share a GPU
std::vector<CommFigures> bench_comm(const BenchCommOptions& options, launch::World& world);

}  // namespace casvit::trainer
