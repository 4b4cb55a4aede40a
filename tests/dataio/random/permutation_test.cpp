#include "dataio/random/permutation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "dataio/error.h"

namespace casvit::dataio {
namespace {

std::vector<std::uint64_t> all(std::uint64_t size, std::uint64_t key0, std::uint64_t key1 = 0) {
  const KeyedPermutation permutation(size, key0, key1);
  std::vector<std::uint64_t> values;
  for (std::uint64_t i = 0; i < size; ++i) values.push_back(permutation(i));
  return values;
}

TEST(KeyedPermutation, IsABijectionForEverySize) {
  std::vector<std::uint64_t> sizes = {1023, 1024, 1025, 4097, 50000, 65536, 65537};
  for (std::uint64_t size = 1; size <= 300; ++size) sizes.push_back(size);
  for (const std::uint64_t size : sizes) {
    std::vector<bool> seen(size);
    for (const std::uint64_t value : all(size, size * 77, 5)) {
      ASSERT_LT(value, size);
      ASSERT_FALSE(seen[value]) << "size " << size << ", value " << value << " twice";
      seen[value] = true;
    }
  }
}

TEST(KeyedPermutation, WorksFarBeyondMemory) {
  const std::uint64_t size = (std::uint64_t{1} << 62) + 12345;
  const KeyedPermutation permutation(size, 1, 2);
  std::uint64_t last = size;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint64_t value = permutation(size - 1 - i);
    EXPECT_LT(value, size);
    EXPECT_NE(value, last);
    last = value;
  }
}

TEST(KeyedPermutation, BothKeysMatter) {
  EXPECT_EQ(all(1000, 1, 1), all(1000, 1, 1));
  EXPECT_NE(all(1000, 1, 1), all(1000, 2, 1));
  EXPECT_NE(all(1000, 1, 1), all(1000, 1, 2));
}

TEST(KeyedPermutation, NothingIsNotPermuted) {
  EXPECT_THROW(KeyedPermutation(0, 1, 1), UsageError);
}

/// Chi-square of counts that should be equal, in standard deviations from its mean.
double deviation(const std::vector<int>& counts, double expected) {
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - expected) * (count - expected) / expected;
  const auto freedom = static_cast<double>(counts.size() - 1);
  return (chi_square - freedom) / std::sqrt(2 * freedom);
}

TEST(KeyedPermutation, EveryPositionTakesEveryValueAlikeOverKeys) {
  for (const std::uint64_t size : {2ULL, 3ULL, 5ULL, 12ULL, 64ULL, 100ULL}) {
    const int keys = static_cast<int>(size) * 400;
    for (const std::uint64_t position : {std::uint64_t{0}, size / 2, size - 1}) {
      std::vector<int> counts(size);
      for (int key = 0; key < keys; ++key) {
        ++counts[KeyedPermutation(size, static_cast<std::uint64_t>(key), 9)(position)];
      }
      EXPECT_LT(std::abs(deviation(counts, 400)), 5) << "size " << size << " position " << position;
    }
  }
}

/// Serial test: the differences of neighbours, over keys, are spread alike over 1 .. size - 1.
TEST(KeyedPermutation, NeighboursAreUnrelatedOverKeys) {
  for (const std::uint64_t size : {7ULL, 60ULL, 101ULL}) {
    const int keys = static_cast<int>(size) * 300;
    std::vector<int> counts(size - 1);
    for (int key = 0; key < keys; ++key) {
      const KeyedPermutation permutation(size, static_cast<std::uint64_t>(key), 3);
      const std::uint64_t difference = (permutation(3) + size - permutation(2)) % size;
      ++counts[difference - 1];
    }
    EXPECT_LT(std::abs(deviation(counts, keys / static_cast<double>(size - 1))), 5) << size;
  }
}

/// Serial test within one permutation: neighbouring values do not correlate.
TEST(KeyedPermutation, NeighboursDoNotCorrelateWithinAnEpoch) {
  const std::uint64_t size = 50000;
  const auto values = all(size, 123, 456);
  const double mean = (static_cast<double>(size) - 1) / 2;
  for (const std::size_t lag : {1U, 2U, 64U}) {
    double covariance = 0;
    double variance = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const double here = static_cast<double>(values[i]) - mean;
      covariance += here * (static_cast<double>(values[(i + lag) % size]) - mean);
      variance += here * here;
    }
    EXPECT_LT(std::abs(covariance / variance), 5 / std::sqrt(static_cast<double>(size))) << lag;
  }
}

}  // namespace
}  // namespace casvit::dataio
