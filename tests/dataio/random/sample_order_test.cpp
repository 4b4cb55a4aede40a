#include "dataio/random/sample_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "dataio/error.h"

namespace casvit::dataio {
namespace {

std::vector<std::uint64_t> epoch_of(const SampleOrder& order, std::uint64_t epoch) {
  std::vector<std::uint64_t> samples;
  for (std::uint64_t p = 0; p < order.samples(); ++p) samples.push_back(order.at(epoch, p));
  return samples;
}

TEST(ShuffledOrder, HoldsEverySampleOnceAnEpoch) {
  const SampleOrder order = SampleOrder::shuffled(7, 1234);
  for (const std::uint64_t epoch : {0ULL, 1ULL, 299ULL}) {
    const auto samples = epoch_of(order, epoch);
    EXPECT_EQ(std::set<std::uint64_t>(samples.begin(), samples.end()).size(), 1234U);
    EXPECT_EQ(*std::max_element(samples.begin(), samples.end()), 1233U);
  }
}

TEST(ShuffledOrder, DependsOnSeedAndEpochAlone) {
  const SampleOrder order = SampleOrder::shuffled(7, 100);
  EXPECT_EQ(epoch_of(order, 3), epoch_of(SampleOrder::shuffled(7, 100), 3));
  EXPECT_NE(epoch_of(order, 3), epoch_of(order, 4));
  EXPECT_NE(epoch_of(order, 3), epoch_of(SampleOrder::shuffled(8, 100), 3));
}

TEST(ShuffledOrder, NeedsASample) { EXPECT_THROW(SampleOrder::shuffled(1, 0), UsageError); }

/// 100 samples: 80 of class 0, 15 of class 1, 5 of class 2, interleaved.
std::vector<std::int32_t> uneven_labels() {
  std::vector<std::int32_t> labels(100, 0);
  for (std::size_t i = 0; i < 15; ++i) labels[i * 6 + 1] = 1;
  for (std::size_t i = 0; i < 5; ++i) labels[i * 20 + 2] = 2;
  return labels;
}

TEST(BalancedOrder, GivesEveryClassTheSameShare) {
  const auto labels = uneven_labels();
  const SampleOrder order = SampleOrder::balanced(7, labels, 3);
  ASSERT_EQ(order.samples(), 100U);
  std::vector<int> counts(3);
  for (const std::uint64_t sample : epoch_of(order, 2)) {
    ++counts[static_cast<std::size_t>(labels.at(sample))];
  }
  for (const int count : counts) EXPECT_NEAR(count, 33.5, 0.6);
  // In every round, too: three positions, three classes.
  for (std::uint64_t p = 0; p + 3 <= 99; p += 3) {
    std::set<std::int32_t> classes;
    for (std::uint64_t i = p; i < p + 3; ++i) classes.insert(labels.at(order.at(2, i)));
    EXPECT_EQ(classes.size(), 3U) << "position " << p;
  }
}

TEST(BalancedOrder, WalksAClassInPassesOverAllOfIt) {
  const auto labels = uneven_labels();
  const SampleOrder order = SampleOrder::balanced(7, labels, 3);
  // Class 2 has 5 samples: of the first 30 draws each is met 6 times, 5 different ones every 5.
  std::vector<std::uint64_t> draws;
  for (std::uint64_t p = 0; p < 90; ++p) {
    if (labels.at(order.at(0, p)) == 2) draws.push_back(order.at(0, p));
  }
  ASSERT_EQ(draws.size(), 30U);
  for (std::size_t pass = 0; pass < 6; ++pass) {
    const auto first = draws.begin() + static_cast<long>(pass * 5);
    EXPECT_EQ(std::set<std::uint64_t>(first, first + 5).size(), 5U);
  }
  // Class 0 has 80: the epochs go on where the one before ended.
  std::set<std::uint64_t> seen;
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
    for (const std::uint64_t sample : epoch_of(order, epoch)) {
      if (labels[sample] == 0) seen.insert(sample);
    }
  }
  EXPECT_GE(seen.size(), 77U);  // 102 draws, of which at most three were cut off
}

TEST(BalancedOrder, NamesTheClassWithoutSamples) {
  const std::vector<std::int32_t> labels = {0, 2, 2};
  try {
    SampleOrder::balanced(1, labels, 3);
    FAIL() << "class 1 has no sample";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("class 1"), std::string::npos);
  }
  EXPECT_THROW(SampleOrder::balanced(1, labels, 2), UsageError);
}

}  // namespace
}  // namespace casvit::dataio
