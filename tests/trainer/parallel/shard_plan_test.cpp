#include "trainer/parallel/shard_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

dataio::StepTableOptions options_of(std::int64_t shards, std::int64_t shard_size,
                                    std::int64_t samples) {
  dataio::StepTableOptions options;
  options.shards = shards;
  options.shard_size = shard_size;
  options.samples = samples;
  options.image_size = 64;
  options.epochs = 3;
  return options;
}

dataio::StepTableOptions several_sizes() {
  dataio::StepTableOptions options = options_of(4, 2, 50);
  options.multi_scale = dataio::MultiScaleOptions{dataio::MultiScaleRule::kPixels, 32, 64, 16};
  return options;
}

/// Every (step, shard, samples) that `ranks` ranks work through, in the order of steps and shards.
std::vector<dataio::BatchPlan> everything(std::int64_t ranks, std::int64_t first, std::int64_t last,
                                          const dataio::StepTableOptions& options) {
  const dataio::SampleOrder order = dataio::SampleOrder::shuffled(3, 50);
  std::vector<dataio::BatchPlan> all;
  for (std::int64_t rank = 0; rank < ranks; ++rank) {
    const ShardPlan plan = ShardPlan::make(options, ranks, rank);
    const dataio::BatchSequence sequence = plan.sequence(order, first, last);
    for (std::uint64_t k = 0; auto batch = sequence(k); ++k) {
      all.push_back(*batch);
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::pair(a.step, a.shard) < std::pair(b.step, b.shard);
  });
  return all;
}

TEST(ShardPlan, IsTheSameWorkOnAnyNumberOfRanks) {
  for (const auto& options : {options_of(4, 3, 50), several_sizes()}) {
    const std::int64_t steps = dataio::StepTable(options).total_steps();
    const auto alone = everything(1, 0, steps, options);
    ASSERT_EQ(alone.size(), static_cast<std::size_t>(steps) * 4);
    for (const std::int64_t ranks : {2, 4}) {
      const auto shared = everything(ranks, 0, steps, options);
      ASSERT_EQ(shared.size(), alone.size());
      for (std::size_t i = 0; i < alone.size(); ++i) {
        EXPECT_EQ(shared[i].samples, alone[i].samples);
        EXPECT_EQ(shared[i].epoch, alone[i].epoch);
        EXPECT_EQ(shared[i].image_size, alone[i].image_size);
      }
    }
  }
}

TEST(ShardPlan, GivesAllShardsOfAStepOneSizeAndGoesOnFromAnyStep) {
  const auto all =
      everything(1, 0, dataio::StepTable(several_sizes()).total_steps(), several_sizes());
  std::set<int> sizes;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& first = all[i / 4 * 4];
    EXPECT_EQ(all[i].image_size, first.image_size);
    EXPECT_EQ(all[i].samples.size(), first.samples.size());
    sizes.insert(all[i].image_size);
  }
  EXPECT_EQ(sizes, (std::set<int>{32, 48, 64}));
  const auto rest = everything(2, 5, 9, several_sizes());
  ASSERT_EQ(rest.size(), 16U);
  for (std::size_t i = 0; i < rest.size(); ++i) EXPECT_EQ(rest[i].samples, all[20 + i].samples);
}

TEST(ShardPlan, EpochHoldsEachSampleAtMostOnceAndDropsTheTail) {
  const auto epoch =
      everything(2, 4, 8, options_of(4, 3, 50));  // the second epoch of 50 / 12 = 4 steps
  std::vector<std::uint64_t> samples;
  for (const auto& batch : epoch) {
    EXPECT_EQ(batch.epoch, 1U);
    samples.insert(samples.end(), batch.samples.begin(), batch.samples.end());
  }
  EXPECT_EQ(samples.size(), 48U);
  std::sort(samples.begin(), samples.end());
  EXPECT_EQ(std::unique(samples.begin(), samples.end()), samples.end());
}

TEST(ShardPlan, RefusesRanksThatDoNotDivideShardsAndNamesThoseThatDo) {
  EXPECT_THAT([] { ShardPlan::make(options_of(4, 3, 50), 3, 0); },
              ThrowsMessage<ConfigError>(HasSubstr("1, 2, 4 ranks")));
}

TEST(ShardPlan, RefusesDataSmallerThanOneBatch) {
  EXPECT_THAT([] { ShardPlan::make(options_of(4, 16, 63), 2, 0); },
              ThrowsMessage<ConfigError>(HasSubstr("64")));
  EXPECT_EQ(ShardPlan::make(options_of(4, 16, 64), 2, 0).steps.total_steps(), 3);
}

}  // namespace
}  // namespace casvit::trainer
