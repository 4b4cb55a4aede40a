#include "trainer/engine/bench_data.h"

#include <array>
#include <optional>

#include "trainer/report/progress.h"

namespace casvit::trainer {
namespace {

StageRates sum_over_ranks(dataio::BenchStage stage, const dataio::BenchFigures& mine,
                          launch::Communicator& communicator) {
  std::array<double, 4> sums{static_cast<double>(mine.images), mine.images_per_second(),
                             static_cast<double>(mine.bytes_read) / mine.seconds,
                             static_cast<double>(mine.bytes_written) / mine.seconds};
  communicator
      .all_reduce(sums.data(), sums.size(), launch::ElementType::kFloat64, launch::ReduceOp::kSum)
      .wait();
  return {stage, sums[0], sums[1], sums[2], sums[3]};
}

}  // namespace

std::vector<StageRates> bench_data(const dataio::Dataset& dataset, dataio::DataBenchOptions options,
                                   const std::vector<dataio::BenchStage>& stages,
                                   launch::World& world) {
  options.rank = static_cast<std::uint64_t>(world.rank());
  options.ranks = static_cast<std::uint64_t>(world.size());
  std::optional<Progress> progress;
  if (world.rank() == 0) {
    progress.emplace("measuring", static_cast<std::int64_t>(stages.size()));
  }
  std::vector<StageRates> rates;
  for (const dataio::BenchStage stage : stages) {
    if (progress) {
      progress->update(static_cast<std::int64_t>(rates.size()),
                       std::string(dataio::bench_stage_name(stage)));
    }
    world.communicator().barrier();  // all start together, and share the machine from the start
    const dataio::BenchFigures mine = dataio::measure_stage(stage, dataset, options);
    rates.push_back(sum_over_ranks(stage, mine, world.communicator()));
  }
  return rates;
}

}  // namespace casvit::trainer
