// Tree sums have the bits of a balanced binary tree over ranks, wherever buffers and pieces are
// cut.

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

#include "launch/half_precision.h"
#include "tests/launch/world_main.h"

namespace casvit::launch {
namespace {

constexpr std::size_t kCount = 40'012;

/// Numbers of very different sizes, for which every order of summation has another result.
std::vector<float> contribution(int rank) {
  std::mt19937 bits(static_cast<unsigned>(rank) + 1);
  std::vector<float> values(kCount);
  for (float& value : values) {
    const auto mantissa = static_cast<float>(bits()) / 4e9F - 0.5F;
    value = std::ldexp(mantissa, static_cast<int>(bits() % 24));
  }
  return values;
}

std::vector<std::uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<std::uint32_t> bits;
  bits.reserve(values.size());
  for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

std::vector<float> tree_sum(std::vector<std::vector<float>> level) {
  while (level.size() > 1) {
    std::vector<std::vector<float>> above;
    for (std::size_t pair = 0; pair < level.size(); pair += 2) {
      above.push_back(level[pair]);
      for (std::size_t i = 0; i < kCount; ++i) above.back()[i] += level[pair + 1][i];
    }
    level = above;
  }
  return level[0];
}

class TreeOrder : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::has_single_bit(static_cast<unsigned>(ranks_))) GTEST_SKIP() << "no power of two";
    for (int rank = 0; rank < ranks_; ++rank) contributions_.push_back(contribution(rank));
  }

  const int rank_ = test_world().rank();
  const int ranks_ = test_world().size();
  std::vector<std::vector<float>> contributions_;
};

TEST_F(TreeOrder, AllReduceHasTheBitsOfTheTree) {
  const auto expected = bits_of(tree_sum(contributions_));
  for (const std::size_t piece_bytes : {2'000, 33'333, 4 << 20}) {
    const auto communicator = test_world().make_communicator(piece_bytes);
    std::vector<float> buffer = contribution(rank_);
    communicator->all_reduce(buffer.data(), kCount, ElementType::kFloat32, ReduceOp::kTreeSum)
        .wait();
    ASSERT_EQ(bits_of(buffer), expected) << piece_bytes;
  }
}

TEST_F(TreeOrder, ReduceScatterHasTheBitsOfTheTree) {
  const std::size_t share = kCount / static_cast<std::size_t>(ranks_);
  const std::vector<float> input = contribution(rank_);
  std::vector<float> output(share);
  test_world()
      .make_communicator(5'000)
      ->reduce_scatter(input.data(), output.data(), share, ElementType::kFloat32,
                       ReduceOp::kTreeSum)
      .wait();
  const std::vector<float> all = tree_sum(contributions_);
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(share) * rank_;
  EXPECT_EQ(bits_of(output),
            bits_of(std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(share))));
}

TEST_F(TreeOrder, IsNotRankOrder) {
  if (ranks_ < 4) GTEST_SKIP() << "two numbers have one sum";
  std::vector<float> in_order = contribution(rank_);
  test_world().set_hierarchy(Hierarchy::kOff);  // two nodes of two would sum in the tree's order
  test_world()
      .communicator()
      .all_reduce(in_order.data(), kCount, ElementType::kFloat32, ReduceOp::kSum)
      .wait();
  test_world().set_hierarchy(Hierarchy::kAuto);
  EXPECT_NE(bits_of(in_order), bits_of(tree_sum(contributions_)));
}

TEST_F(TreeOrder, BFloat16IsSummedInFloat32AndRoundedOnce) {
  std::vector<std::uint16_t> buffer;
  for (auto& values : contributions_) {
    for (float& value : values) value = bfloat16_to_float(float_to_bfloat16(value));
  }
  for (const float value : contributions_[static_cast<std::size_t>(rank_)]) {
    buffer.push_back(float_to_bfloat16(value));
  }
  std::vector<std::uint16_t> expected;
  for (const float value : tree_sum(contributions_)) expected.push_back(float_to_bfloat16(value));
  test_world()
      .make_communicator(3'000)
      ->all_reduce(buffer.data(), kCount, ElementType::kBFloat16, ReduceOp::kTreeSum)
      .wait();
  EXPECT_EQ(buffer, expected);
}

TEST(TreeOrderOfThree, IsRefused) {
  if (test_world().size() != 3) GTEST_SKIP() << "three ranks";
  float value = 1;
  EXPECT_THROW(
      test_world().communicator().all_reduce(&value, 1, ElementType::kFloat32, ReduceOp::kTreeSum),
      std::invalid_argument);
  EXPECT_THROW(test_world().communicator().reduce_scatter(&value, &value, 1, ElementType::kFloat32,
                                                          ReduceOp::kTreeSum),
               std::invalid_argument);
}

}  // namespace
}  // namespace casvit::launch
