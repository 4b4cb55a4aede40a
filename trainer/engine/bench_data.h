#pragma once

#include <string>
#include <vector>

#include "dataio/bench/data_bench.h"
#include "dataio/container/dataset.h"
#include "launch/world.h"

namespace casvit::trainer {

/// One stage over all ranks.
struct StageRates {
  dataio::BenchStage stage = dataio::BenchStage::kRead;
  double images = 0;  ///< of all ranks
  double images_per_second = 0;
  double bytes_read_per_second = 0;
  double bytes_written_per_second = 0;
};

/// Runs `stages` one after the other, each on all ranks at once, with `options.rank` and
/// `options.ranks` taken from the world; rates are summed over ranks. Collective; shows on rank 0
/// how far it is.
/// @throws dataio::UsageError, dataio::InputError
std::vector<StageRates> bench_data(const dataio::Dataset& dataset, dataio::DataBenchOptions options,
                                   const std::vector<dataio::BenchStage>& stages,
                                   launch::World& world);

}  // namespace casvit::trainer
