#include "dataio/augment/mixup.h"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "dataio/augment/mixup_draw.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

MixupOptions both() {
  MixupOptions options;
  options.mixup_alpha = 0.8;
  options.cutmix_alpha = 1.0;
  options.num_classes = 4;
  return options;
}

struct Shard {
  std::vector<float> images;
  std::vector<float> targets;

  bool operator==(const Shard&) const = default;
};

constexpr int kSamples = 4;
constexpr int kSize = 8;
const std::vector<std::int32_t> kLabels = {0, 1, 2, 2};

std::vector<float> source() {
  std::vector<float> images(kSamples * kSize * kSize * 3);
  std::iota(images.begin(), images.end(), 1.0F);
  return images;
}

Shard mixed(const MixupOptions& options, const MixupKey& key) {
  Shard shard = {source(), std::vector<float>(kSamples * 4, -1.0F)};
  apply_mixup(shard.images, kSamples, kSize, kLabels, options, key, shard.targets);
  return shard;
}

TEST(Mixup, IsAFunctionOfItsKey) {
  for (const MixupMode mode : {MixupMode::kBatch, MixupMode::kPair, MixupMode::kElem}) {
    MixupOptions options = both();
    options.mode = mode;
    const Shard first = mixed(options, {1, 2, 3});
    EXPECT_EQ(first, mixed(options, {1, 2, 3}));
    EXPECT_NE(first, mixed(options, {2, 2, 3}));
    EXPECT_NE(first, mixed(options, {1, 3, 3}));
    EXPECT_NE(first, mixed(options, {1, 2, 4}));
  }
}

TEST(Mixup, OffWritesSmoothedTargetsAlone) {
  MixupOptions options;
  options.num_classes = 4;
  ASSERT_FALSE(options.enabled());
  const Shard shard = mixed(options, {1, 1, 1});
  EXPECT_EQ(shard.images, source());
  for (std::size_t i = 0; i < kSamples; ++i) {
    for (std::size_t c = 0; c < 4; ++c) {
      const bool own = kLabels[i] == static_cast<std::int32_t>(c);
      EXPECT_FLOAT_EQ(shard.targets[i * 4 + c], own ? 0.925F : 0.025F);
    }
  }
}

TEST(Mixup, TargetsSumToOne) {
  for (std::uint64_t step = 0; step < 50; ++step) {
    const Shard shard = mixed(both(), {1, step, 0});
    for (std::size_t i = 0; i < kSamples; ++i) {
      EXPECT_NEAR(std::accumulate(&shard.targets[i * 4], &shard.targets[i * 4] + 4, 0.0), 1, 1e-6);
    }
  }
}

TEST(MixupDraw, FollowsProbabilities) {
  MixupOptions options = both();
  options.prob = 0.6;
  options.switch_prob = 0.25;
  int untouched = 0;
  int cut = 0;
  double lambda_sum = 0;
  constexpr int kSteps = 20000;
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    CounterRng rng(1, RandomUse::kMixup, step, 0);
    const MixupUnit unit = draw_mixup(options, 2, 32, rng).at(0);
    untouched += !unit.mixed;
    cut += unit.cutmix;
    EXPECT_TRUE(unit.mixed || unit.lambda == 1.0);
    if (unit.mixed && !unit.cutmix) lambda_sum += unit.lambda;
    EXPECT_GE(unit.box.top, 0);
    EXPECT_LE(unit.box.bottom, 32);
  }
  EXPECT_NEAR(untouched / static_cast<double>(kSteps), 0.4, 0.02);
  EXPECT_NEAR(cut / static_cast<double>(kSteps), 0.6 * 0.25, 0.02);
  EXPECT_NEAR(lambda_sum / (kSteps * 0.45), 0.5, 0.02);
}

TEST(MixupDraw, MinmaxBoundsTheBox) {
  MixupOptions options;
  options.cutmix_minmax = {{0.25, 0.5}};
  ASSERT_TRUE(options.enabled());
  int smallest = 32;
  int largest = 0;
  for (std::uint64_t step = 0; step < 2000; ++step) {
    CounterRng rng(1, RandomUse::kMixup, step, 0);
    const MixupUnit unit = draw_mixup(options, 2, 32, rng).at(0);
    ASSERT_TRUE(unit.cutmix);
    const int height = unit.box.bottom - unit.box.top;
    smallest = std::min(smallest, height);
    largest = std::max(largest, height);
    EXPECT_EQ(unit.lambda, 1.0 - height * (unit.box.right - unit.box.left) / 1024.0);
  }
  EXPECT_EQ(smallest, 8);
  EXPECT_EQ(largest, 15);  // numpy's upper bound is exclusive

  options.cutmix_minmax = {{0.5, 0.51}};
  CounterRng rng(1, RandomUse::kMixup, 0, 0);
  EXPECT_THROW(draw_mixup(options, 2, 32, rng), UsageError);
}

TEST(MixupOptions, RefusesWhatCannotBe) {
  EXPECT_NO_THROW(validate(both(), 4));
  EXPECT_THROW(validate(both(), 5), UsageError);
  MixupOptions off;
  EXPECT_NO_THROW(validate(off, 5));
  const std::vector<std::function<void(MixupOptions&)>> faults = {
      [](auto& o) { o.mixup_alpha = -1; },
      [](auto& o) { o.cutmix_alpha = -1; },
      [](auto& o) { o.prob = 1.5; },
      [](auto& o) { o.switch_prob = -0.5; },
      [](auto& o) { o.label_smoothing = 1; },
      [](auto& o) { o.num_classes = 0; },
      [](auto& o) {
        o.cutmix_minmax = {{0.5, 0.5}};
      },
      [](auto& o) {
        o.cutmix_minmax = {{0.5, 1.5}};
      },
  };
  for (std::size_t i = 0; i < faults.size(); ++i) {
    MixupOptions options = both();
    faults[i](options);
    EXPECT_THROW(validate(options, 4), UsageError) << "fault " << i;
  }
}

TEST(Mixup, LabelsOutsideTheClassesAreRefused) {
  std::vector<float> images = source();
  std::vector<float> targets(kSamples * 4);
  const std::vector<std::int32_t> labels = {0, 1, 4, 0};
  EXPECT_THROW(apply_mixup(images, kSamples, kSize, labels, both(), {}, targets), UsageError);
}

}  // namespace
}  // namespace casvit::dataio
