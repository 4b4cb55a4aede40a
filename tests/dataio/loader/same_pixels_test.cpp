// The same pixels and targets on 1, 2 and 4 ranks and 1, 2 and 5 loader threads, with everything
// random that there is: a hash over two epochs' batches.
#include <gtest/gtest.h>
#include <xxhash.h>

#include <map>

#include "dataio/loader/loader.h"
#include "dataio/loader/step_table.h"
#include "dataio/pack/packer.h"
#include "dataio/random/sample_order.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

constexpr std::int64_t kShards = 4;
constexpr std::uint64_t kSeed = 17;

class SamePixels : public ::testing::Test {
 protected:
  SamePixels() {
    make_image_folder(folder_ / "in", {"a", "b", "c"}, 16);
    PackOptions options;
    options.source = folder_ / "in";
    options.output = folder_ / "data.h5";
    static_cast<void>(pack(options, [](const auto&, auto, auto) {}));
    dataset_ = std::make_unique<Dataset>(std::vector<std::string>{folder_ / "data.h5"});
    StepTableOptions table;
    table.samples = 48;
    table.shards = kShards;
    table.shard_size = 4;
    table.image_size = 32;
    table.multi_scale = MultiScaleOptions{MultiScaleRule::kPixels, 24, 48, 8};
    table.epochs = 2;
    table.seed = kSeed;
    table_ = StepTable(table);
  }

  static Loader::Training training(std::uint64_t seed) {
    Loader::Training training;
    training.transform.rand_augment = "rand-m9-mstd0.5-inc1";
    training.transform.random_interpolation = true;
    training.transform.brightness = training.transform.hue = 0.2;
    training.transform.vertical_flip = 0.5;
    training.transform.cutout_holes = 1;
    training.transform.cutout_length = 6;
    training.transform.erasing.probability = 0.5;
    training.mixup.mixup_alpha = 0.8;
    training.mixup.cutmix_alpha = 1.0;
    training.mixup.mode = MixupMode::kElem;
    training.mixup.num_classes = 3;
    training.seed = seed;
    return training;
  }

  /// This rank's shards, as the trainer deals them.
  BatchSequence sequence(std::int64_t ranks, std::int64_t rank) const {
    return [cursor = StepCursor(table_), steps = table_.total_steps(), per_rank = kShards / ranks,
            rank, order = SampleOrder::shuffled(kSeed, 48)](
               std::uint64_t k) mutable -> std::optional<BatchPlan> {
      const std::int64_t step = static_cast<std::int64_t>(k) / per_rank;
      if (step >= steps) return std::nullopt;
      const std::int64_t shard = rank * per_rank + static_cast<std::int64_t>(k) % per_rank;
      const StepShape& shape = cursor.at(step);
      BatchPlan plan;
      plan.epoch = static_cast<std::uint64_t>(shape.epoch);
      plan.step = static_cast<std::uint64_t>(step);
      plan.shard = static_cast<std::uint64_t>(shard);
      plan.image_size = shape.image_size;
      for (std::int64_t i = 0; i < shape.shard_size; ++i) {
        const auto position =
            static_cast<std::uint64_t>(shape.first + shard * shape.shard_size + i);
        plan.samples.push_back(order.at(plan.epoch, position));
      }
      return plan;
    };
  }

  /// Over all batches in the order of steps and shards, whichever rank had them.
  XXH64_hash_t hash(std::int64_t ranks, int threads, std::uint64_t seed = kSeed) const {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<XXH64_hash_t>> batches;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      Loader loader(*dataset_, sequence(ranks, rank), training(seed), {threads, 3});
      while (const std::optional<Batch> batch = loader.next()) {
        const auto size = static_cast<std::size_t>(batch->image_size);
        EXPECT_EQ(batch->image_size, batch->plan.image_size);
        const std::size_t bytes = batch->labels.size() * size * size * 3 * sizeof(float);
        batches[{batch->plan.step, batch->plan.shard}] = {
            XXH3_64bits(batch->images.get(), bytes),
            XXH3_64bits(batch->targets.data(), batch->targets.size() * sizeof(float))};
      }
    }
    EXPECT_EQ(batches.size(), static_cast<std::size_t>(table_.total_steps() * kShards));
    std::vector<XXH64_hash_t> all;
    for (const auto& [place, hashes] : batches) all.insert(all.end(), hashes.begin(), hashes.end());
    return XXH3_64bits(all.data(), all.size() * sizeof(XXH64_hash_t));
  }

  TemporaryFolder folder_;
  std::unique_ptr<Dataset> dataset_;
  StepTable table_;
};

TEST_F(SamePixels, OnAnyNumberOfRanksAndThreads) {
  const XXH64_hash_t expected = hash(1, 1);
  for (const std::int64_t ranks : {1, 2, 4}) {
    for (const int threads : {1, 2, 5}) {
      EXPECT_EQ(hash(ranks, threads), expected) << ranks << " ranks, " << threads << " threads";
    }
  }
  EXPECT_NE(hash(1, 1, kSeed + 1), expected);
}

}  // namespace
}  // namespace casvit::dataio
