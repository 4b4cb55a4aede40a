#include "trainer/parallel/shard_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// Every (step, shard, samples) that `ranks` ranks work through, in the order of steps and shards.
std::vector<dataio::BatchPlan> everything(std::int64_t ranks, std::int64_t first,
                                          std::int64_t last) {
  const dataio::SampleOrder order = dataio::SampleOrder::shuffled(3, 50);
  std::vector<dataio::BatchPlan> all;
  for (std::int64_t rank = 0; rank < ranks; ++rank) {
    const ShardPlan plan = ShardPlan::make(4, 3, ranks, rank, 50);
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
  const auto alone = everything(1, 0, 9);
  ASSERT_EQ(alone.size(), 36U);
  for (const std::int64_t ranks : {2, 4}) {
    const auto shared = everything(ranks, 0, 9);
    ASSERT_EQ(shared.size(), alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(shared[i].samples, alone[i].samples);
      EXPECT_EQ(shared[i].epoch, alone[i].epoch);
    }
  }
}

TEST(ShardPlan, EpochHoldsEachSampleAtMostOnceAndDropsTheTail) {
  const auto epoch = everything(2, 4, 8);  // the second epoch of 50 / 12 = 4 steps
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
  EXPECT_THAT([] { ShardPlan::make(4, 3, 3, 0, 50); },
              ThrowsMessage<ConfigError>(HasSubstr("1, 2, 4 ranks")));
}

TEST(ShardPlan, RefusesDataSmallerThanOneBatch) {
  EXPECT_THAT([] { ShardPlan::make(4, 16, 2, 0, 63); },
              ThrowsMessage<ConfigError>(HasSubstr("64")));
  EXPECT_EQ(ShardPlan::make(4, 16, 2, 0, 64).steps_per_epoch(), 1);
}

}  // namespace
}  // namespace casvit::trainer
