// Sums have the bits of a sequential sum in rank order, wherever buffers and pieces are cut.

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "launch/half_precision.h"
#include "tests/launch/world_main.h"

namespace casvit::launch {
namespace {

constexpr std::size_t kCount = 40'009;

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

std::vector<float> sequential_sum() {
  std::vector<float> sum = contribution(0);
  for (int rank = 1; rank < test_world().size(); ++rank) {
    const std::vector<float> values = contribution(rank);
    for (std::size_t i = 0; i < kCount; ++i) sum[i] += values[i];
  }
  return sum;
}

TEST(RankOrder, AnotherOrderWouldBeNoticed) {
  if (test_world().size() < 3) GTEST_SKIP() << "two numbers have one sum";
  std::vector<float> backwards = contribution(test_world().size() - 1);
  for (int rank = test_world().size() - 2; rank >= 0; --rank) {
    const std::vector<float> values = contribution(rank);
    for (std::size_t i = 0; i < kCount; ++i) backwards[i] += values[i];
  }
  EXPECT_NE(bits_of(backwards), bits_of(sequential_sum()));
}

TEST(RankOrder, AllReduceHasTheBitsOfTheSequentialSum) {
  const auto expected = bits_of(sequential_sum());
  for (const std::size_t piece_bytes : {2'000, 33'333, 4 << 20}) {
    const auto communicator = test_world().make_communicator(piece_bytes);
    std::vector<float> buffer = contribution(test_world().rank());
    communicator->all_reduce(buffer.data(), kCount, ElementType::kFloat32, ReduceOp::kSum).wait();
    ASSERT_EQ(bits_of(buffer), expected) << piece_bytes;
  }
}

TEST(RankOrder, CuttingTheBufferIntoCallsChangesNothing) {
  const auto expected = bits_of(sequential_sum());
  for (const std::size_t bucket : {1'000, 7'777, 30'000}) {
    std::vector<float> buffer = contribution(test_world().rank());
    std::vector<Completion> completions;
    for (std::size_t begin = 0; begin < kCount; begin += bucket) {
      completions.push_back(test_world().communicator().all_reduce(
          buffer.data() + begin, std::min(bucket, kCount - begin), ElementType::kFloat32,
          ReduceOp::kSum));
    }
    for (Completion& completion : completions) completion.wait();
    ASSERT_EQ(bits_of(buffer), expected) << bucket;
  }
}

TEST(RankOrder, ReduceScatterHasTheBitsOfTheSequentialSum) {
  const auto ranks = static_cast<std::size_t>(test_world().size());
  const std::size_t share = kCount / ranks;
  const std::vector<float> input = contribution(test_world().rank());
  std::vector<float> output(share);
  test_world()
      .make_communicator(5'000)
      ->reduce_scatter(input.data(), output.data(), share, ElementType::kFloat32, ReduceOp::kSum)
      .wait();
  const std::vector<float> all = sequential_sum();
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(
                                       share * static_cast<std::size_t>(test_world().rank()));
  EXPECT_EQ(bits_of(output),
            bits_of(std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(share))));
}

TEST(RankOrder, BFloat16IsSummedInFloat32AndRoundedOnce) {
  const auto narrowed = [](int rank) {
    std::vector<std::uint16_t> bits;
    bits.reserve(kCount);
    for (const float value : contribution(rank)) bits.push_back(float_to_bfloat16(value));
    return bits;
  };
  std::vector<float> sum(kCount);
  for (int rank = 0; rank < test_world().size(); ++rank) {
    const auto values = narrowed(rank);
    for (std::size_t i = 0; i < kCount; ++i) {
      const float value = bfloat16_to_float(values[i]);
      sum[i] = rank == 0 ? value : sum[i] + value;
    }
  }
  std::vector<std::uint16_t> expected;
  expected.reserve(kCount);
  for (const float value : sum) expected.push_back(float_to_bfloat16(value));

  std::vector<std::uint16_t> buffer = narrowed(test_world().rank());
  test_world()
      .make_communicator(3'000)
      ->all_reduce(buffer.data(), kCount, ElementType::kBFloat16, ReduceOp::kSum)
      .wait();
  EXPECT_EQ(buffer, expected);
}

}  // namespace
}  // namespace casvit::launch
