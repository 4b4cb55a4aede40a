#include "dataio/random/counter_rng.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace casvit::dataio {
namespace {

using Block = std::array<std::uint32_t, 4>;

/// Random123 1.09, examples/kat_vectors: philox4x32 10.
TEST(Philox, MatchesPublishedVectors) {
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}));
  constexpr std::uint32_t kOnes = 0xFFFFFFFF;
  EXPECT_EQ(philox4x32_10({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}));
  EXPECT_EQ(
      philox4x32_10({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}),
      (Block{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}));
}

TEST(CounterRng, StreamsDependOnAllOfTheirNameAndOnNothingElse) {
  std::set<std::uint64_t> firsts;
  std::size_t streams = 0;
  for (const std::uint64_t seed : {0ULL, 1ULL, 1ULL << 40}) {
    for (const RandomUse use : {RandomUse::kCutout, RandomUse::kMixup}) {
      for (const std::uint64_t a : {0ULL, 1ULL, 1ULL << 33}) {
        for (const std::uint64_t b : {0ULL, 1ULL, 1ULL << 34}) {
          CounterRng rng(seed, use, a, b);
          CounterRng again(seed, use, a, b);
          for (int i = 0; i < 9; ++i) {
            const std::uint64_t value = rng.next_u64();
            EXPECT_EQ(value, again.next_u64());
            firsts.insert(value);
          }
          ++streams;
        }
      }
    }
  }
  EXPECT_EQ(firsts.size(), streams * 9);
}

/// What a seed means must not change from one version to the next.
TEST(CounterRng, ValuesOfASeedStay) {
  CounterRng rng(42, RandomUse::kRandomResizedCrop, 3, 1234);
  const std::vector<std::uint32_t> values = {rng.next_u32(), rng.next_u32(), rng.next_u32(),
                                             rng.next_u32(), rng.next_u32()};
  EXPECT_EQ(values, (std::vector<std::uint32_t>{0xCBCD471F, 0x999DFBDD, 0x2B592232, 0x74A607A4,
                                                0xF5F2FE1D}));
}

struct Moments {
  double mean = 0, variance = 0;
};

template <typename Draw>
Moments moments(int count, Draw draw) {
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < count; ++i) {
    const double value = draw();
    sum += value;
    squares += value * value;
  }
  const double mean = sum / count;
  return {mean, squares / count - mean * mean};
}

TEST(CounterRng, UniformFillsTheUnitInterval) {
  CounterRng rng(1, RandomUse::kMixup, 0, 0);
  std::vector<int> bins(100);
  const int count = 200000;
  for (int i = 0; i < count; ++i) {
    const double value = rng.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ++bins[static_cast<std::size_t>(value * 100)];
  }
  double chi_square = 0;
  for (const int bin : bins)
    chi_square += (bin - count / 100.0) * (bin - count / 100.0) / (count / 100.0);
  EXPECT_LT(chi_square, 99 + 5 * std::sqrt(2 * 99.0));
  EXPECT_GT(chi_square, 99 - 5 * std::sqrt(2 * 99.0));
}

TEST(CounterRng, BelowIsUnbiasedAndInRange) {
  CounterRng rng(2, RandomUse::kMixup, 0, 0);
  for (const std::uint64_t n : {1ULL, 2ULL, 7ULL, 1000ULL}) {
    std::vector<int> bins(n);
    const int count = 100000;
    for (int i = 0; i < count; ++i) ++bins.at(rng.below(n));
    const double expected = static_cast<double>(count) / static_cast<double>(n);
    double chi_square = 0;
    for (const int bin : bins) chi_square += (bin - expected) * (bin - expected) / expected;
    const auto freedom = static_cast<double>(n - 1);
    EXPECT_LE(chi_square, freedom + 5 * std::sqrt(2 * freedom)) << n;
  }
  // Two thirds of the range: a plain modulo would return the lower half twice as often.
  const std::uint64_t n = (std::uint64_t{1} << 63) / 2 * 3;
  int low = 0;
  for (int i = 0; i < 20000; ++i) low += rng.below(n) < n / 2;
  EXPECT_NEAR(low / 20000.0, 0.5, 0.02);
}

TEST(CounterRng, NormalHasItsMoments) {
  CounterRng rng(3, RandomUse::kMixup, 0, 0);
  int beyond_two = 0;
  const Moments m = moments(200000, [&] {
    const double value = rng.normal();
    beyond_two += std::abs(value) > 2;
    return value;
  });
  EXPECT_NEAR(m.mean, 0.0, 0.012);
  EXPECT_NEAR(m.variance, 1.0, 0.02);
  EXPECT_NEAR(beyond_two / 200000.0, 0.0455, 0.003);
}

TEST(CounterRng, BetaHasItsMoments) {
  CounterRng rng(4, RandomUse::kMixup, 0, 0);
  for (const auto& shape : {std::pair{1.0, 1.0}, {0.8, 0.8}, {0.2, 0.2}, {2.0, 5.0}, {30.0, 3.0}}) {
    const double a = shape.first;
    const double b = shape.second;
    const Moments m = moments(100000, [&] { return rng.beta(a, b); });
    EXPECT_NEAR(m.mean, a / (a + b), 0.006) << a << " " << b;
    const double variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    EXPECT_NEAR(m.variance, variance, 0.04 * variance) << a << " " << b;
  }
}

TEST(CounterRng, BetaOfTinyParametersStaysANumber) {
  CounterRng rng(5, RandomUse::kMixup, 0, 0);
  for (int i = 0; i < 1000; ++i) {
    const double value = rng.beta(1e-4, 1e-4);
    ASSERT_GE(value, 0.0);
    ASSERT_LE(value, 1.0);
  }
}

}  // namespace
}  // namespace casvit::dataio
