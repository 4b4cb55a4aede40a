// Collectives in two levels, within nodes and across them, with the ranks of one machine taken for
// those of several (CASVIT_NODES): the order of sums, one rounding, and what is refused.

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "launch/error.h"
#include "launch/half_precision.h"
#include "tests/launch/world_main.h"

namespace casvit::launch {
namespace {

constexpr std::size_t kCount = 30'011;

/// Numbers of very different sizes, for which every order of summation has another result.
std::vector<float> contribution(int rank) {
  std::mt19937 bits(static_cast<unsigned>(rank) + 1);
  std::vector<float> values(kCount);
  for (float& value : values) {
    value = std::ldexp(static_cast<float>(bits()) / 4e9F - 0.5F, static_cast<int>(bits() % 24));
  }
  return values;
}

std::vector<std::uint16_t> narrow(const std::vector<float>& values) {
  std::vector<std::uint16_t> bits;
  bits.reserve(values.size());
  for (const float value : values) bits.push_back(float_to_bfloat16(value));
  return bits;
}

std::vector<float> widen(const std::vector<std::uint16_t>& bits) {
  std::vector<float> values;
  values.reserve(bits.size());
  for (const std::uint16_t value : bits) values.push_back(bfloat16_to_float(value));
  return values;
}

/// The sum of blocks of `block` ranks, each in rank order, in the order of the blocks.
template <typename Contribution>
std::vector<float> sum_of_blocks(int block, Contribution of_rank) {
  std::vector<float> total;
  for (int first = 0; first < test_world().size(); first += block) {
    std::vector<float> sum = of_rank(first);
    for (int rank = first + 1; rank < first + block; ++rank) {
      const std::vector<float> values = of_rank(rank);
      for (std::size_t i = 0; i < kCount; ++i) sum[i] += values[i];
    }
    if (total.empty()) {
      total = sum;
      continue;
    }
    for (std::size_t i = 0; i < kCount; ++i) total[i] += sum[i];
  }
  return total;
}

bool has_levels() {
  const World& world = test_world();
  return world.node_count() > 1 && world.local_size() > 1 &&
         world.local_size() * world.node_count() == world.size();
}

std::vector<float> all_reduced(std::size_t piece_bytes) {
  std::vector<float> buffer = contribution(test_world().rank());
  test_world()
      .make_communicator(piece_bytes)
      ->all_reduce(buffer.data(), kCount, ElementType::kFloat32, ReduceOp::kSum)
      .wait();
  return buffer;
}

TEST(Levels, SumNodesInRankOrderAndThenTheNodes) {
  const World& world = test_world();
  const int block = has_levels() ? world.local_size() : world.size();
  const std::vector<float> expected = sum_of_blocks(block, contribution);
  if (has_levels()) {
    EXPECT_NE(expected, sum_of_blocks(world.size(), contribution));
  }
  for (const std::size_t piece_bytes : {1'000, 33'333, 4 << 20}) {
    EXPECT_EQ(all_reduced(piece_bytes), expected) << piece_bytes;
  }
}

TEST(Levels, AreLeftOutWhenOff) {
  test_world().set_hierarchy(Hierarchy::kOff);
  const std::vector<float> found = all_reduced(4 << 20);
  test_world().set_hierarchy(Hierarchy::kAuto);
  EXPECT_EQ(found, sum_of_blocks(test_world().size(), contribution));
}

TEST(Levels, RoundHalvesOnce) {
  const int block = has_levels() ? test_world().local_size() : test_world().size();
  const auto of_rank = [](int rank) { return widen(narrow(contribution(rank))); };
  const std::vector<std::uint16_t> expected = narrow(sum_of_blocks(block, of_rank));
  std::vector<std::uint16_t> buffer = narrow(contribution(test_world().rank()));
  test_world()
      .make_communicator(5'000)
      ->all_reduce(buffer.data(), kCount, ElementType::kBFloat16, ReduceOp::kSum)
      .wait();
  EXPECT_EQ(buffer, expected);

  const std::vector<std::uint16_t> input = narrow(contribution(test_world().rank()));
  const std::size_t share = kCount / static_cast<std::size_t>(test_world().size());
  std::vector<std::uint16_t> output(share);
  test_world()
      .make_communicator(5'000)
      ->reduce_scatter(input.data(), output.data(), share, ElementType::kBFloat16, ReduceOp::kSum)
      .wait();
  const auto mine = expected.begin() + static_cast<std::ptrdiff_t>(share) * test_world().rank();
  EXPECT_EQ(output, std::vector<std::uint16_t>(mine, mine + static_cast<std::ptrdiff_t>(share)));
}

TEST(Levels, AreRefusedWhereThereAreNone) {
  if (has_levels()) {
    test_world().set_hierarchy(Hierarchy::kOn);
  } else {
    EXPECT_THROW(test_world().set_hierarchy(Hierarchy::kOn), WorldError);
  }
  test_world().set_hierarchy(Hierarchy::kAuto);
  test_world().communicator().barrier();
}

}  // namespace
}  // namespace casvit::launch
