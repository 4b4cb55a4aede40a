// Multi-scale batches: which sizes there are, how many pictures each takes, and that the length of
// a run is known before it starts.
#include "dataio/loader/step_table.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "dataio/error.h"

namespace casvit::dataio {
namespace {

StepTableOptions multi_scale(MultiScaleRule rule) {
  StepTableOptions options;
  options.samples = 10007;
  options.shards = 4;
  options.shard_size = 64;
  options.image_size = 224;
  options.multi_scale = MultiScaleOptions{rule, 160, 320, 32};
  options.epochs = 50;
  options.seed = 5;
  return options;
}

TEST(ImageScales, KeepPixelsLevel) {
  const auto scales = image_scales(multi_scale(MultiScaleRule::kPixels));
  // 64 x 224 x 224 pixels over size x size, rounded down to even: 125.4, 87.1, 64, 49, 38.7, 31.4.
  const std::vector<ImageScale> expected{{160, 124}, {192, 86}, {224, 64},
                                         {256, 48},  {288, 38}, {320, 30}};
  EXPECT_EQ(scales, expected);
}

TEST(ImageScales, NeverShrinkUnderThePublishedRule) {
  // What the published _image_batch_pairs(224, 224, 64, 1) returns.
  const std::vector<ImageScale> expected{{160, 124}, {192, 86}, {224, 64},
                                         {256, 64},  {288, 64}, {320, 64}};
  EXPECT_EQ(image_scales(multi_scale(MultiScaleRule::kPublished)), expected);
  auto odd = multi_scale(MultiScaleRule::kPublished);
  odd.shard_size = 33;  // made even by one less, there as here
  EXPECT_EQ(image_scales(odd).back(), (ImageScale{320, 32}));
}

TEST(ImageScales, AreTheMultiplesBetweenTheBounds) {
  auto options = multi_scale(MultiScaleRule::kPixels);
  options.multi_scale = MultiScaleOptions{MultiScaleRule::kPixels, 100, 200, 48};
  const auto scales = image_scales(options);
  ASSERT_EQ(scales.size(), 2U);
  EXPECT_EQ(scales[0].image_size, 144);
  EXPECT_EQ(scales[1].image_size, 192);
  options.multi_scale = MultiScaleOptions{MultiScaleRule::kPixels, 100, 140, 48};
  EXPECT_THROW(image_scales(options), UsageError);
}

TEST(StepTable, CutsEveryEpochIntoBatchesUntilNoneFits) {
  for (const MultiScaleRule rule : {MultiScaleRule::kPixels, MultiScaleRule::kPublished}) {
    const StepTableOptions options = multi_scale(rule);
    const StepTable table(options);
    const std::int64_t smallest = 4 * image_scales(options).back().shard_size;
    for (std::int64_t epoch = 0; epoch < 50; ++epoch) {
      std::int64_t position = 0;
      std::int64_t number = 0;
      for (const StepShape& shape : table.steps_of(epoch)) {
        EXPECT_EQ(shape.epoch, epoch);
        EXPECT_EQ(shape.step_in_epoch, number++);
        ASSERT_EQ(shape.first, position);
        position += 4 * shape.shard_size;
      }
      ASSERT_LE(position, 10007);
      ASSERT_LT(10007 - position, smallest);
    }
  }
}

TEST(StepTable, KnowsItsLengthAndEveryStepsPlace) {
  const StepTable table(multi_scale(MultiScaleRule::kPixels));
  std::vector<StepShape> all;
  for (std::int64_t epoch = 0; epoch < 50; ++epoch) {
    EXPECT_EQ(table.first_step(epoch), static_cast<std::int64_t>(all.size()));
    const auto steps = table.steps_of(epoch);
    EXPECT_EQ(table.steps_in_epoch(epoch), static_cast<std::int64_t>(steps.size()));
    all.insert(all.end(), steps.begin(), steps.end());
  }
  ASSERT_EQ(table.total_steps(), static_cast<std::int64_t>(all.size()));
  EXPECT_EQ(table.epoch_of(table.total_steps()), 50);
  StepCursor forwards(table);
  for (std::int64_t step = 0; step < table.total_steps(); ++step) {
    ASSERT_EQ(forwards.at(step), all[static_cast<std::size_t>(step)]);
    ASSERT_EQ(table.epoch_of(step), all[static_cast<std::size_t>(step)].epoch);
  }
  StepCursor resumed(table);  // anywhere
  EXPECT_EQ(resumed.at(777), all[777]);
  EXPECT_EQ(resumed.at(3), all[3]);
}

TEST(StepTable, DrawsEverySizeAlikeAndAnewEachEpoch) {
  const StepTable table(multi_scale(MultiScaleRule::kPixels));
  std::map<int, double> counts;
  double total = 0;
  std::map<std::vector<int>, int> epochs;
  for (std::int64_t epoch = 0; epoch < 50; ++epoch) {
    std::vector<int> sizes;
    const auto steps = table.steps_of(epoch);
    for (const StepShape& shape : steps) sizes.push_back(shape.image_size);
    ++epochs[sizes];
    // The last few steps have less to choose from.
    for (std::size_t i = 0; i + 4 < sizes.size(); ++i) {
      ++counts[sizes[i]];
      ++total;
    }
  }
  EXPECT_EQ(epochs.size(), 50U) << "two epochs have the same sizes";
  ASSERT_EQ(counts.size(), 6U);
  double chi_square = 0;
  for (const auto& [size, count] : counts) {
    chi_square += (count - total / 6) * (count - total / 6) / (total / 6);
  }
  EXPECT_LT(chi_square, 25.7);  // 5 degrees of freedom: exceeded once in 10^4
}

TEST(StepTable, IsAFunctionOfSeedAndEpochAlone) {
  auto options = multi_scale(MultiScaleRule::kPixels);
  const StepTable table(options);
  options.epochs = 80;
  const StepTable longer(options);
  for (std::int64_t epoch = 0; epoch < 50; ++epoch) {
    EXPECT_EQ(table.steps_of(epoch), longer.steps_of(epoch));
    EXPECT_EQ(table.first_step(epoch), longer.first_step(epoch));
  }
  options.seed = 6;
  EXPECT_NE(table.steps_of(0), StepTable(options).steps_of(0));
}

TEST(StepTable, OfOneSizeIsADivision) {
  StepTableOptions options;
  options.samples = 103;
  options.shards = 4;
  options.shard_size = 5;
  options.image_size = 96;
  options.epochs = 3;
  const StepTable table(options);
  EXPECT_EQ(table.total_steps(), 15);
  EXPECT_EQ(table.steps_in_epoch(2), 5);
  EXPECT_EQ(table.epoch_of(14), 2);
  EXPECT_EQ(table.epoch_of(15), 3);
  StepCursor cursor(table);
  EXPECT_EQ(cursor.at(7), (StepShape{1, 2, 40, 96, 5}));
  options.samples = 19;
  EXPECT_THROW(StepTable{options}, UsageError);
}

TEST(StepTable, NeedsOneBatchOfTheSmallestKind) {
  auto options = multi_scale(MultiScaleRule::kPixels);
  options.samples = 4 * 30;
  options.epochs = 1;
  const StepTable table(options);  // of 320 pixels alone
  EXPECT_EQ(table.total_steps(), 1);
  EXPECT_EQ(table.steps_of(0).at(0).image_size, 320);
  options.samples = 4 * 30 - 1;
  EXPECT_THROW(StepTable{options}, UsageError);
}

}  // namespace
}  // namespace casvit::dataio
