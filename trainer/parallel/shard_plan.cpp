#include "trainer/parallel/shard_plan.h"

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

ShardPlan ShardPlan::make(std::int64_t shards, std::int64_t shard_size, std::int64_t ranks,
                          std::int64_t rank, std::int64_t samples) {
  if (shards % ranks != 0) {
    throw ConfigError("batch.shards is " + std::to_string(shards) + ", which " +
                      std::to_string(ranks) + " ranks cannot share equally; start " +
                      divisors(shards) + " ranks, or set batch.shards to a multiple of " +
                      std::to_string(ranks));
  }
  const ShardPlan plan{shards, shard_size, ranks, rank, samples};
  if (plan.steps_per_epoch() == 0) {
    throw ConfigError("the training data hold " + std::to_string(samples) +
                      " samples, less than one global batch of " +
                      std::to_string(plan.global_batch()) +
                      " (batch.shards x batch.shard_size); make the batch smaller");
  }
  return plan;
}

dataio::BatchSequence ShardPlan::sequence(const dataio::SampleOrder& order, std::int64_t first_step,
                                          std::int64_t last_step) const {
  return [plan = *this, order, first_step,
          last_step](std::uint64_t k) -> std::optional<dataio::BatchPlan> {
    const std::int64_t step = first_step + static_cast<std::int64_t>(k) / plan.shards_per_rank();
    if (step >= last_step) {
      return std::nullopt;
    }
    const std::int64_t shard =
        plan.first_shard() + static_cast<std::int64_t>(k) % plan.shards_per_rank();
    const std::int64_t step_in_epoch = step % plan.steps_per_epoch();
    dataio::BatchPlan batch;
    batch.epoch = static_cast<std::uint64_t>(step / plan.steps_per_epoch());
    batch.step = static_cast<std::uint64_t>(step);
    batch.shard = static_cast<std::uint64_t>(shard);
    const std::int64_t first = step_in_epoch * plan.global_batch() + shard * plan.shard_size;
    batch.samples.reserve(static_cast<std::size_t>(plan.shard_size));
    for (std::int64_t i = 0; i < plan.shard_size; ++i) {
      batch.samples.push_back(order.at(batch.epoch, static_cast<std::uint64_t>(first + i)));
    }
    return batch;
  };
}

}  // namespace casvit::trainer
