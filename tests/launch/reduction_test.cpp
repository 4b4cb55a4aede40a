#include "launch/reduction.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <stdexcept>
#include <vector>

#include "launch/half_precision.h"

namespace casvit::launch {
namespace {

TEST(Reduction, TakesInputsFromLeftToRight) {
  // 1 is lost next to 1e8 in float32, so each order has its own result.
  const std::vector<float> one{1.0F};
  const std::vector<float> big{1e8F};
  const std::vector<float> minus{-1e8F};
  float sum = 0;
  reduce(std::array<const void*, 3>{big.data(), minus.data(), one.data()}, &sum, 1,
         ElementType::kFloat32, ReduceOp::kSum);
  EXPECT_EQ(sum, 1.0F);
  reduce(std::array<const void*, 3>{one.data(), big.data(), minus.data()}, &sum, 1,
         ElementType::kFloat32, ReduceOp::kSum);
  EXPECT_EQ(sum, 0.0F);
}

TEST(Reduction, RoundsSixteenBitFloatsOnce) {
  // Each 2^-9 is half a step of bfloat16 at 1: rounded at each addition they would all be lost.
  const std::uint16_t one = float_to_bfloat16(1.0F);
  const std::uint16_t small = float_to_bfloat16(0x1.0p-9F);
  std::uint16_t sum = 0;
  reduce(std::array<const void*, 5>{&one, &small, &small, &small, &small}, &sum, 1,
         ElementType::kBFloat16, ReduceOp::kSum);
  EXPECT_EQ(bfloat16_to_float(sum), 1.0F + 0x1.0p-7F);

  const std::uint16_t half_one = float_to_float16(1.0F);
  const std::uint16_t half_small = float_to_float16(0x1.0p-12F);
  reduce(std::array<const void*, 5>{&half_one, &half_small, &half_small, &half_small, &half_small},
         &sum, 1, ElementType::kFloat16, ReduceOp::kSum);
  EXPECT_EQ(float16_to_float(sum), 1.0F + 0x1.0p-10F);
}

TEST(Reduction, TreeSumAddsPairsOfPairs) {
  // The 1s are lost next to 1e8 unless they meet first.
  const std::array<float, 4> values{1.0F, 1e8F, 1.0F, -1e8F};
  const std::array<const void*, 4> inputs{&values[0], &values[1], &values[2], &values[3]};
  float sum = 7;
  reduce(inputs, &sum, 1, ElementType::kFloat32, ReduceOp::kTreeSum);
  EXPECT_EQ(sum, 0.0F);
  const std::array<const void*, 4> pairs{&values[1], &values[3], &values[0], &values[2]};
  reduce(pairs, &sum, 1, ElementType::kFloat32, ReduceOp::kTreeSum);
  EXPECT_EQ(sum, 2.0F);
  reduce(pairs, &sum, 1, ElementType::kFloat32, ReduceOp::kSum);
  EXPECT_EQ(sum, 2.0F);
}

TEST(Reduction, TreeSumOfHalvesIsTheTreeSumOfTheirTreeSums) {
  // What lets two ranks of four shards have the bits of one rank of eight.
  constexpr std::size_t kCount = 3000;  // several blocks
  std::mt19937 bits(1);
  std::vector<std::vector<float>> inputs(8, std::vector<float>(kCount));
  std::vector<const void*> all;
  for (auto& input : inputs) {
    for (float& value : input) value = std::ldexp(static_cast<float>(bits()), -int(bits() % 20));
    all.push_back(input.data());
  }
  std::vector<float> whole(kCount);
  std::vector<float> left(kCount);
  std::vector<float> right(kCount);
  std::vector<float> in_order(kCount);
  const auto tree = [](std::span<const void* const> parts, std::vector<float>& sum) {
    reduce(parts, sum.data(), kCount, ElementType::kFloat32, ReduceOp::kTreeSum);
  };
  tree(all, whole);
  tree(std::span(all).first(4), left);
  tree(std::span(all).subspan(4), right);
  tree(std::array<const void*, 2>{left.data(), right.data()}, right);
  EXPECT_EQ(whole, right);
  reduce(all, in_order.data(), kCount, ElementType::kFloat32, ReduceOp::kSum);
  EXPECT_NE(whole, in_order);
}

TEST(Reduction, TreeSumRoundsSixteenBitFloatsOnce) {
  const std::uint16_t one = float_to_bfloat16(1.0F);
  const std::uint16_t small = float_to_bfloat16(0x1.0p-9F);
  std::uint16_t sum = 0;
  reduce(std::array<const void*, 4>{&one, &small, &small, &small}, &sum, 1, ElementType::kBFloat16,
         ReduceOp::kTreeSum);
  EXPECT_EQ(bfloat16_to_float(sum), 1.0F + 0x1.0p-7F);
}

TEST(Reduction, TreeSumOfThreeIsRefused) {
  const float one = 1.0F;
  float sum = 0;
  EXPECT_THROW(reduce(std::array<const void*, 3>{&one, &one, &one}, &sum, 1, ElementType::kFloat32,
                      ReduceOp::kTreeSum),
               std::invalid_argument);
}

TEST(Reduction, OutputMayBeAnyInput) {
  constexpr std::size_t kCount = 5000;  // several blocks
  for (std::size_t target = 0; target < 3; ++target) {
    std::vector<std::vector<double>> inputs(3, std::vector<double>(kCount));
    for (std::size_t rank = 0; rank < 3; ++rank) {
      for (std::size_t i = 0; i < kCount; ++i) {
        inputs[rank][i] = static_cast<double>((rank + 1) * 10000 + i);
      }
    }
    reduce(std::array<const void*, 3>{inputs[0].data(), inputs[1].data(), inputs[2].data()},
           inputs[target].data(), kCount, ElementType::kFloat64, ReduceOp::kSum);
    for (std::size_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(inputs[target][i], static_cast<double>(60000 + 3 * i));
    }
  }
}

TEST(Reduction, IntegersWrap) {
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  const std::int64_t one = 1;
  std::int64_t sum = 0;
  reduce(std::array<const void*, 2>{&largest, &one}, &sum, 1, ElementType::kInt64, ReduceOp::kSum);
  EXPECT_EQ(sum, std::numeric_limits<std::int64_t>::min());
  const std::uint8_t byte = 200;
  std::uint8_t byte_sum = 0;
  reduce(std::array<const void*, 2>{&byte, &byte}, &byte_sum, 1, ElementType::kUInt8,
         ReduceOp::kSum);
  EXPECT_EQ(byte_sum, 144);
}

TEST(Reduction, MaximumOfNanIsNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float one = 1.0F;
  const float two = 2.0F;
  float result = 0;
  for (const auto& inputs :
       {std::array<const void*, 3>{&nan, &one, &two}, std::array<const void*, 3>{&one, &nan, &two},
        std::array<const void*, 3>{&two, &one, &nan}}) {
    reduce(inputs, &result, 1, ElementType::kFloat32, ReduceOp::kMax);
    EXPECT_TRUE(std::isnan(result));
  }
  reduce(std::array<const void*, 3>{&one, &two, &one}, &result, 1, ElementType::kFloat32,
         ReduceOp::kMax);
  EXPECT_EQ(result, 2.0F);
}

TEST(Reduction, OfNothingIsRefused) {
  float result = 0;
  EXPECT_THROW(reduce({}, &result, 1, ElementType::kFloat32, ReduceOp::kSum),
               std::invalid_argument);
}

}  // namespace
}  // namespace casvit::launch
