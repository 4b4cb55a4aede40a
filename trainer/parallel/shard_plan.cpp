#include "trainer/parallel/shard_plan.h"

#include "dataio/error.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

std::string divisors(std::int64_t number) {
  std::string text;
  for (std::int64_t candidate = 1; candidate <= number; ++candidate) {
    if (number % candidate == 0) {
      text += (text.empty() ? "" : ", ") + std::to_string(candidate);
    }
  }
  return text;
}

}  // namespace

void refuse_unequal_shards(std::int64_t shards, std::int64_t ranks) {
  if (shards % ranks != 0) {
    throw ConfigError("batch.shards is " + std::to_string(shards) + ", which " +
                      std::to_string(ranks) + " ranks cannot share equally; start " +
                      divisors(shards) + " ranks, or set batch.shards to a multiple of " +
                      std::to_string(ranks));
  }
}

ShardPlan ShardPlan::make(const dataio::StepTableOptions& options, std::int64_t ranks,
                          std::int64_t rank) {
  refuse_unequal_shards(options.shards, ranks);
  try {
    return {options.shards, ranks, rank, dataio::StepTable(options)};
  } catch (const dataio::UsageError& error) {
    std::string text = error.what();
    if (const std::int64_t fits = options.samples / options.shards / 2 * 2; fits > 0) {
      text += ", e.g. --set batch.shard_size=" + std::to_string(fits);
    }
    throw ConfigError(text);
  }
}

dataio::BatchSequence ShardPlan::sequence(const dataio::SampleOrder& order, std::int64_t first_step,
                                          std::int64_t last_step) const {
  return [cursor = dataio::StepCursor(steps), order, first_step, last_step,
          per_rank = shards_per_rank(), first_shard = first_shard()](
             std::uint64_t k) mutable -> std::optional<dataio::BatchPlan> {
    const std::int64_t step = first_step + static_cast<std::int64_t>(k) / per_rank;
    if (step >= last_step) {
      return std::nullopt;
    }
    const std::int64_t shard = first_shard + static_cast<std::int64_t>(k) % per_rank;
    const dataio::StepShape& shape = cursor.at(step);
    dataio::BatchPlan batch;
    batch.epoch = static_cast<std::uint64_t>(shape.epoch);
    batch.step = static_cast<std::uint64_t>(step);
    batch.shard = static_cast<std::uint64_t>(shard);
    batch.image_size = shape.image_size;
    const std::int64_t first = shape.first + shard * shape.shard_size;
    batch.samples.reserve(static_cast<std::size_t>(shape.shard_size));
    for (std::int64_t i = 0; i < shape.shard_size; ++i) {
      batch.samples.push_back(order.at(batch.epoch, static_cast<std::uint64_t>(first + i)));
    }
    return batch;
  };
}

}  // namespace casvit::trainer
