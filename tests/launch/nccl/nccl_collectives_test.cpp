// NcclCommunicator over the fakes: every collective x type x in place or not against closed forms.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include "launch/half_precision.h"
#include "tests/launch/nccl/nccl_test.h"
#include "tests/launch/typed_buffer.h"

namespace casvit::launch {
namespace {

double contribution(int rank, std::size_t index) {
  return static_cast<double>((index * 7 + static_cast<std::size_t>(rank) * 5) % 17);
}

double reduced(ReduceOp op, std::size_t index) {
  double result = contribution(0, index);
  for (int rank = 1; rank < test_world().size(); ++rank) {
    const double next = contribution(rank, index);
    result = op == ReduceOp::kMax ? std::max(result, next) : result + next;
  }
  return result;
}

class NcclCollectives : public NcclTest, public testing::WithParamInterface<ElementType> {
 protected:
  static constexpr std::size_t kCount = 1003;
  const ElementType type_ = GetParam();
  const std::size_t mine_ = static_cast<std::size_t>(test_world().rank()) * kCount;
};

TEST_P(NcclCollectives, AllReduce) {
  for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMax}) {
    TypedBuffer buffer(type_, kCount);
    for (std::size_t i = 0; i < kCount; ++i) buffer.set(i, contribution(rank_, i));
    finish(nccl_->all_reduce(buffer.data(), kCount, type_, op));
    for (std::size_t i = 0; i < kCount; ++i) ASSERT_EQ(buffer.get(i), reduced(op, i)) << i;
  }
}

TEST_P(NcclCollectives, ReduceScatter) {
  for (const bool in_place : {false, true}) {
    for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMax}) {
      TypedBuffer input(type_, kCount * ranks_);
      for (std::size_t i = 0; i < kCount * ranks_; ++i) input.set(i, contribution(rank_, i));
      TypedBuffer output(type_, kCount);
      void* const to = in_place ? input.at(mine_) : output.data();
      finish(nccl_->reduce_scatter(input.data(), to, kCount, type_, op));
      for (std::size_t i = 0; i < kCount; ++i) {
        ASSERT_EQ(in_place ? input.get(mine_ + i) : output.get(i), reduced(op, mine_ + i)) << i;
      }
    }
  }
}

TEST_P(NcclCollectives, AllGather) {
  for (const bool in_place : {false, true}) {
    TypedBuffer input(type_, kCount);
    TypedBuffer output(type_, kCount * ranks_);
    for (std::size_t i = 0; i < kCount; ++i) {
      input.set(i, contribution(rank_, i));
      if (in_place) output.set(mine_ + i, contribution(rank_, i));
    }
    const void* from = in_place ? output.at(mine_) : input.data();
    finish(nccl_->all_gather(from, output.data(), kCount, type_));
    for (std::size_t i = 0; i < kCount * ranks_; ++i) {
      ASSERT_EQ(output.get(i), contribution(static_cast<int>(i / kCount), i % kCount)) << i;
    }
  }
}

TEST_P(NcclCollectives, BroadcastFromEveryRoot) {
  for (int root = 0; root < size_; ++root) {
    TypedBuffer buffer(type_, kCount);
    for (std::size_t i = 0; i < kCount; ++i) buffer.set(i, contribution(rank_, i));
    finish(nccl_->broadcast(buffer.data(), kCount, type_, root));
    for (std::size_t i = 0; i < kCount; ++i) ASSERT_EQ(buffer.get(i), contribution(root, i)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, NcclCollectives,
                         testing::Values(ElementType::kFloat32, ElementType::kFloat64,
                                         ElementType::kBFloat16, ElementType::kFloat16,
                                         ElementType::kInt64, ElementType::kUInt8),
                         [](const auto& info) { return element_name(info.param); });

/// Numbers of very different sizes, for which every order of summation has another result.
std::vector<float> uneven(int rank, std::size_t count) {
  std::mt19937 bits(static_cast<unsigned>(rank) + 1);
  std::vector<float> values(count);
  for (float& value : values) {
    value = std::ldexp(static_cast<float>(bits()) / 4e9F - 0.5F, static_cast<int>(bits() % 24));
  }
  return values;
}

std::vector<float> tree_sum(int first, int ranks, std::size_t count) {
  if (ranks == 1) return uneven(first, count);
  std::vector<float> left = tree_sum(first, ranks / 2, count);
  const std::vector<float> right = tree_sum(first + ranks / 2, ranks / 2, count);
  for (std::size_t i = 0; i < count; ++i) left[i] += right[i];
  return left;
}

TEST_F(NcclTest, TreeSumsHaveTheBitsOfTheTree) {
  constexpr std::size_t kShare = 777;
  const std::size_t count = kShare * ranks_;
  std::vector<float> buffer = uneven(rank_, count);
  if (!std::has_single_bit(static_cast<unsigned>(size_))) {
    EXPECT_THROW(nccl_->all_reduce(buffer.data(), count, ElementType::kFloat32, ReduceOp::kTreeSum),
                 std::invalid_argument);
    return;
  }
  const std::vector<float> expected = tree_sum(0, size_, count);
  finish(nccl_->all_reduce(buffer.data(), count, ElementType::kFloat32, ReduceOp::kTreeSum));
  EXPECT_EQ(buffer, expected);

  const auto mine = expected.begin() + static_cast<std::ptrdiff_t>(kShare) * rank_;
  const std::vector<float> part(mine, mine + static_cast<std::ptrdiff_t>(kShare));
  const std::vector<float> input = uneven(rank_, count);
  std::vector<float> output(kShare);
  finish(nccl_->reduce_scatter(input.data(), output.data(), kShare, ElementType::kFloat32,
                               ReduceOp::kTreeSum));
  EXPECT_EQ(output, part);
  EXPECT_EQ(input, uneven(rank_, count));

  buffer = input;
  float* const own = buffer.data() + kShare * static_cast<std::size_t>(rank_);
  finish(
      nccl_->reduce_scatter(buffer.data(), own, kShare, ElementType::kFloat32, ReduceOp::kTreeSum));
  EXPECT_EQ(std::vector<float>(own, own + kShare), part);

  std::uint16_t half = 0;
  EXPECT_THROW(nccl_->all_reduce(&half, 1, ElementType::kBFloat16, ReduceOp::kTreeSum),
               std::invalid_argument);
}

/// NCCL itself would round at every addition.
TEST_F(NcclTest, SumsOfHalvesAreRoundedOnce) {
  constexpr std::size_t kShare = 311;
  const std::size_t count = kShare * ranks_ + (ranks_ > 1 ? 1 : 0);
  const auto halves = [&](int rank) {
    std::vector<std::uint16_t> bits;
    for (const float value : uneven(rank, count)) bits.push_back(float_to_bfloat16(value));
    return bits;
  };
  std::vector<float> sum(count, 0.0F);
  std::vector<std::uint16_t> rounded_each_time = halves(0);
  for (int rank = 0; rank < size_; ++rank) {
    const auto values = halves(rank);
    for (std::size_t i = 0; i < count; ++i) {
      const float value = bfloat16_to_float(values[i]);
      sum[i] = rank == 0 ? value : sum[i] + value;
      if (rank == 0) continue;
      rounded_each_time[i] = float_to_bfloat16(bfloat16_to_float(rounded_each_time[i]) + value);
    }
  }
  std::vector<std::uint16_t> expected;
  for (const float value : sum) expected.push_back(float_to_bfloat16(value));
  if (size_ > 2) {
    EXPECT_NE(rounded_each_time, expected);  // it makes a difference here
  }

  std::vector<std::uint16_t> buffer = halves(rank_);
  finish(nccl_->all_reduce(buffer.data(), count, ElementType::kBFloat16, ReduceOp::kSum));
  EXPECT_EQ(buffer, expected);

  const std::vector<std::uint16_t> input = halves(rank_);
  std::vector<std::uint16_t> output(kShare);
  finish(nccl_->reduce_scatter(input.data(), output.data(), kShare, ElementType::kBFloat16,
                               ReduceOp::kSum));
  const auto mine = expected.begin() + static_cast<std::ptrdiff_t>(kShare) * rank_;
  EXPECT_EQ(output, std::vector<std::uint16_t>(mine, mine + static_cast<std::ptrdiff_t>(kShare)));
}

TEST_F(NcclTest, SumsOfHalvesThatNobodyCanTakeAreRefused) {
  NcclOptions options;
  options.device = test_world().local_rank();
  options.compute_stream = [this] { return compute_; };
  NcclCommunicator bare(test_world().communicator(), options);
  std::vector<std::uint16_t> buffer(10, float_to_bfloat16(1.0F));
  if (size_ > 2) {
    EXPECT_THROW(bare.all_reduce(buffer.data(), 10, ElementType::kBFloat16, ReduceOp::kSum),
                 std::invalid_argument);
  }
  bare.all_reduce(buffer.data(), 10, ElementType::kBFloat16, ReduceOp::kMax).wait();
  bare.barrier();
  EXPECT_EQ(buffer, std::vector<std::uint16_t>(10, float_to_bfloat16(1.0F)));
}

TEST_F(NcclTest, NothingIsSentForNothing) {
  fake::forget_calls();
  nccl_->all_reduce(nullptr, 0, ElementType::kFloat32, ReduceOp::kSum).wait();
  nccl_->all_gather(nullptr, nullptr, 0, ElementType::kFloat32).wait();
  EXPECT_TRUE(fake::calls().empty());
  EXPECT_THROW(nccl_->all_reduce(nullptr, 3, ElementType::kFloat32, ReduceOp::kSum),
               std::invalid_argument);
}

}  // namespace
}  // namespace casvit::launch
