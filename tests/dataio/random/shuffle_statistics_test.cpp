// The order of samples is random in every way that a shuffle is tested for: over positions, from
// neighbour to neighbour, and from epoch to epoch.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "dataio/random/sample_order.h"

namespace casvit::dataio {
namespace {

std::vector<std::uint64_t> epoch_of(const SampleOrder& order, std::uint64_t epoch) {
  std::vector<std::uint64_t> samples;
  for (std::uint64_t p = 0; p < order.samples(); ++p) samples.push_back(order.at(epoch, p));
  return samples;
}

/// Chi-square against equal counts, in standard deviations from its mean.
/// @param freedom degrees of freedom
double deviation(const std::vector<int>& counts, double expected, double freedom) {
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - expected) * (count - expected) / expected;
  return (chi_square - freedom) / std::sqrt(2 * freedom);
}

TEST(ShuffleStatistics, EverySampleStandsAtEveryPositionAlike) {
  constexpr std::size_t kSamples = 32;
  constexpr int kEpochs = 6400;
  const SampleOrder order = SampleOrder::shuffled(12, kSamples);
  std::vector<int> counts(kSamples * kSamples);
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    const auto samples = epoch_of(order, static_cast<std::uint64_t>(epoch));
    for (std::size_t p = 0; p < kSamples; ++p) ++counts[p * kSamples + samples[p]];
  }
  const double freedom = (kSamples - 1.0) * (kSamples - 1.0);
  EXPECT_LT(std::abs(deviation(counts, kEpochs / double{kSamples}, freedom)), 5);
}

TEST(ShuffleStatistics, EveryOrderOfFourIsAsLikely) {
  const SampleOrder order = SampleOrder::shuffled(3, 4);
  std::map<std::vector<std::uint64_t>, int> orders;
  for (std::uint64_t epoch = 0; epoch < 24000; ++epoch) ++orders[epoch_of(order, epoch)];
  ASSERT_EQ(orders.size(), 24U);
  std::vector<int> counts;
  for (const auto& [samples, count] : orders) counts.push_back(count);
  EXPECT_LT(std::abs(deviation(counts, 1000, 23)), 5);
}

/// Serial test: which sample follows which, over epochs.
TEST(ShuffleStatistics, EverySampleFollowsEveryOtherAlike) {
  constexpr std::size_t kSamples = 24;
  constexpr int kEpochs = 4800;
  const SampleOrder order = SampleOrder::shuffled(8, kSamples);
  for (const std::size_t lag : {1U, 2U, 7U}) {
    std::vector<int> counts(kSamples * (kSamples - 1));
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
      const auto samples = epoch_of(order, static_cast<std::uint64_t>(epoch));
      for (std::size_t p = 0; p + lag < kSamples; ++p) {
        const std::uint64_t next = samples[p + lag];
        ++counts[samples[p] * (kSamples - 1) + next - (next > samples[p] ? 1 : 0)];
      }
    }
    const double pairs = static_cast<double>(kSamples - lag) * kEpochs;
    const auto cells = static_cast<double>(counts.size());
    EXPECT_LT(std::abs(deviation(counts, pairs / cells, cells - 1)), 6) << "lag " << lag;
  }
}

/// Serial test over epochs: where a sample stands says nothing about where it stands next time.
TEST(ShuffleStatistics, PlacesOfSuccessiveEpochsDoNotCorrelate) {
  constexpr std::uint64_t kSamples = 20000;
  for (const std::uint64_t seed : {0ULL, 1ULL, 1000003ULL}) {
    const SampleOrder order = SampleOrder::shuffled(seed, kSamples);
    for (const std::uint64_t epoch : {0ULL, 1ULL, 63ULL}) {
      const auto now = epoch_of(order, epoch);
      const auto next = epoch_of(order, epoch + 1);
      const double mean = (static_cast<double>(kSamples) - 1) / 2;
      double covariance = 0;
      double variance = 0;
      for (std::size_t p = 0; p < kSamples; ++p) {
        const double here = static_cast<double>(now[p]) - mean;
        covariance += here * (static_cast<double>(next[p]) - mean);
        variance += here * here;
      }
      EXPECT_LT(std::abs(covariance / variance), 5 / std::sqrt(static_cast<double>(kSamples)));
    }
  }
}

TEST(ShuffleStatistics, NoTwoEpochsAreAlike) {
  constexpr std::uint64_t kSamples = 1000;
  constexpr std::uint64_t kEpochs = 400;
  std::set<std::vector<std::uint64_t>> orders;
  std::vector<std::vector<std::uint64_t>> kept;
  for (const std::uint64_t seed : {41ULL, 42ULL}) {
    const SampleOrder order = SampleOrder::shuffled(seed, kSamples);
    for (std::uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
      kept.push_back(epoch_of(order, epoch));
      orders.insert(kept.back());
    }
  }
  EXPECT_EQ(orders.size(), 2 * kEpochs);
  // Two random orders agree in one position on average, and almost never in more than ten.
  double agreements = 0;
  int pairs = 0;
  for (std::size_t i = 0; i < kept.size(); i += 4) {
    for (std::size_t j = i + 1; j < kept.size(); j += 4) {
      int same = 0;
      for (std::size_t p = 0; p < kSamples; ++p) same += kept[i][p] == kept[j][p];
      EXPECT_LE(same, 12);
      agreements += same;
      ++pairs;
    }
  }
  EXPECT_NEAR(agreements / pairs, 1, 0.05);
}

}  // namespace
}  // namespace casvit::dataio
