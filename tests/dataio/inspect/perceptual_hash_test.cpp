#include "dataio/inspect/perceptual_hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "dataio/image/decode.h"
#include "dataio/image/resize.h"
#include "dataio/random/counter_rng.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

using Pairs = std::multiset<std::pair<std::size_t, std::size_t>>;

Pairs matches(const std::vector<std::uint64_t>& hashes, int distance) {
  Pairs pairs;
  match_near_hashes(hashes, distance,
                    [&pairs](std::size_t a, std::size_t b) { pairs.emplace(a, b); });
  return pairs;
}

TEST(NearHashes, AreExactlyThoseThatComparingAllWithAllFinds) {
  CounterRng rng(7, RandomUse::kBootstrap, 0, 0);
  std::set<std::uint64_t> distinct;
  while (distinct.size() < 300) {
    // A hash, and one that differs from it in up to 18 bits.
    const std::uint64_t hash = std::uint64_t{rng.next_u32()} << 32 | rng.next_u32();
    std::uint64_t other = hash;
    const auto flips = rng.below(19);
    for (std::uint64_t i = 0; i < flips; ++i) other ^= std::uint64_t{1} << rng.below(64);
    distinct.insert({hash, other});
  }
  const std::vector<std::uint64_t> hashes(distinct.begin(), distinct.end());
  for (const int distance : {0, 1, 4, 7, 16}) {
    Pairs expected;
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      for (std::size_t j = i + 1; j < hashes.size(); ++j) {
        if (std::popcount(hashes[i] ^ hashes[j]) <= distance) expected.emplace(i, j);
      }
    }
    EXPECT_EQ(matches(hashes, distance), expected) << distance;
    EXPECT_EQ(expected.empty(), distance == 0);
  }
}

TEST(DifferenceHash, SaysWhereThePictureGetsBrighter) {
  Image ramp{8, 9, {}};
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 9; ++x) {
      const auto value = static_cast<std::uint8_t>(y % 2 == 0 ? x * 20 : 200 - x * 20);
      ramp.pixels.insert(ramp.pixels.end(), 3, value);
    }
  }
  EXPECT_EQ(difference_hash(ramp), 0xff00ff00ff00ff00U);
}

TEST(DifferenceHash, IsNearForASmallerCopyAndFarForAnotherPicture) {
  const Image picture = decode_image(photograph(0));
  Image smaller;
  resize(picture, 70, 70, Interpolation::kBicubic, smaller);
  const std::uint64_t hash = difference_hash(picture);
  EXPECT_LE(std::popcount(hash ^ difference_hash(smaller)), 4);
  int near = 0;
  for (std::size_t i = 1; i < 30; ++i) {
    if (std::popcount(hash ^ difference_hash(decode_image(photograph(i)))) <= 4) ++near;
  }
  EXPECT_EQ(near, 0);
}

}  // namespace
}  // namespace casvit::dataio
