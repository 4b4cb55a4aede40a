#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "dataio/augment/rand_augment.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(RandAugmentConfig, ReadsThePublishedRecipe) {
  const RandAugmentConfig config = parse_rand_augment("rand-m9-mstd0.5-inc1");
  EXPECT_EQ(config.magnitude, 9);
  EXPECT_EQ(config.magnitude_std, 0.5);
  EXPECT_EQ(config.magnitude_max, 10);
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.probability, 0.5);
  EXPECT_TRUE(config.weights.empty());
  ASSERT_EQ(config.operations.size(), 15U);
  EXPECT_EQ(config.operations[4], AugmentOperation::kPosterizeIncreasing);
}

TEST(RandAugmentConfig, ReadsEverySection) {
  const RandAugmentConfig config = parse_rand_augment("rand-n3-p0.25-mmax12-mstd101-m7-tweights");
  EXPECT_EQ(config.layers, 3);
  EXPECT_EQ(config.probability, 0.25);
  EXPECT_EQ(config.magnitude_max, 12);
  EXPECT_TRUE(std::isinf(config.magnitude_std));
  EXPECT_EQ(config.magnitude, 7);
  EXPECT_EQ(config.operations.size(), 15U);
  EXPECT_EQ(config.weights.size(), 15U);
  EXPECT_EQ(parse_rand_augment("rand").operations[4], AugmentOperation::kPosterize);
  EXPECT_EQ(parse_rand_augment("rand-inc0").operations[4], AugmentOperation::kPosterize);
  EXPECT_EQ(parse_rand_augment("rand-t3a").operations.size(), 3U);
  EXPECT_EQ(parse_rand_augment("rand-t3aw").weights.size(), 14U);
}

TEST(RandAugmentConfig, NamesTheSectionItCannotRead) {
  for (const char* text :
       {"", "augmix-m3", "rand-", "rand-m", "rand-m9.5", "rand-x3", "rand-mstdinf", "rand-p1.5",
        "rand-tmine", "rand-t", "rand-m9-", "rand-n20-tweights", "rand-m9 ", "rand-m99999999999"}) {
    EXPECT_THAT([&] { parse_rand_augment(text); },
                ThrowsMessage<UsageError>(HasSubstr("section \"")))
        << text;
  }
}

TEST(RandAugmentConfig, SaysThatOtherPoliciesAreNotOffered) {
  for (const char* text : {"augmix-m5-w4", "original-mstd0.5", "originalr", "v0", "v0r", "3a"}) {
    EXPECT_THAT([&] { parse_rand_augment(text); },
                ThrowsMessage<UsageError>(HasSubstr("not offered")))
        << text;
  }
}

TEST(RandAugmentDraw, AppliesEachLayerWithItsProbability) {
  const RandAugmentConfig config = parse_rand_augment("rand-m9-mstd0.5-inc1");
  std::map<std::size_t, int> counts;
  std::map<AugmentOperation, int> operations;
  int negated = 0;
  int total = 0;
  double sum = 0;
  for (std::uint64_t sample = 0; sample < 20000; ++sample) {
    CounterRng rng(1, RandomUse::kRandAugment, 0, sample);
    const auto steps = draw_rand_augment(config, rng);
    ++counts[steps.size()];
    for (const RandAugmentStep& step : steps) {
      ASSERT_GE(step.magnitude, 0);
      ASSERT_LE(step.magnitude, 10);
      sum += step.magnitude;
      ++operations[step.operation];
      negated += step.negate;
      ++total;
    }
  }
  EXPECT_NEAR(counts[0] / 20000.0, 0.25, 0.02);
  EXPECT_NEAR(counts[1] / 20000.0, 0.50, 0.02);
  EXPECT_NEAR(counts[2] / 20000.0, 0.25, 0.02);
  EXPECT_NEAR(static_cast<double>(negated) / total, 0.5, 0.02);
  EXPECT_NEAR(sum / total, 9.0, 0.02);
  EXPECT_EQ(operations.size(), 15U);
  for (const auto& [operation, count] : operations) {
    EXPECT_NEAR(count * 15.0 / total, 1.0, 0.15) << operation_name(operation);
  }
}

TEST(RandAugmentDraw, WeightedSetsDrawWithoutRepeating) {
  const RandAugmentConfig config = parse_rand_augment("rand-n14-p1-t3aw");
  CounterRng rng(1, RandomUse::kRandAugment, 0, 0);
  std::map<AugmentOperation, int> operations;
  for (const RandAugmentStep& step : draw_rand_augment(config, rng)) ++operations[step.operation];
  EXPECT_EQ(operations.size(), 14U);

  std::map<AugmentOperation, int> firsts;
  const RandAugmentConfig one = parse_rand_augment("rand-n1-p1-t3aw");
  for (std::uint64_t sample = 0; sample < 31000; ++sample) {
    CounterRng sample_rng(1, RandomUse::kRandAugment, 0, sample);
    ++firsts[draw_rand_augment(one, sample_rng).at(0).operation];
  }
  EXPECT_NEAR(firsts[AugmentOperation::kDesaturate] / 31000.0, 6.0 / 33, 0.01);
  EXPECT_NEAR(firsts[AugmentOperation::kInvert] / 31000.0, 1.0 / 33, 0.005);
}

TEST(RandAugmentDraw, InfiniteNoiseIsUniform) {
  const RandAugmentConfig config = parse_rand_augment("rand-m8-p1-n1-mstd1000");
  double sum = 0;
  double largest = 0;
  for (std::uint64_t sample = 0; sample < 10000; ++sample) {
    CounterRng rng(1, RandomUse::kRandAugment, 0, sample);
    const double magnitude = draw_rand_augment(config, rng).at(0).magnitude;
    sum += magnitude;
    largest = std::max(largest, magnitude);
  }
  EXPECT_NEAR(sum / 10000, 4.0, 0.1);
  EXPECT_LT(largest, 8.0);
  EXPECT_GT(largest, 7.9);
}

}  // namespace
}  // namespace casvit::dataio
