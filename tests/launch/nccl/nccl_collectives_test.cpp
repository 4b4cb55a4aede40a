// NcclCommunicator over the fakes: every collective x type x in place or not against closed forms,
// streams, groups, and the calls that NCCL sees.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include "launch/error.h"
#include "launch/half_precision.h"
#include "launch/nccl/device.h"
#include "launch/nccl_communicator.h"
#include "launch/reduction.h"
#include "tests/launch/nccl/fake_gpu.h"
#include "tests/launch/typed_buffer.h"
#include "tests/launch/world_main.h"

namespace casvit::launch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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

/// A GPU with a stream to compute on, and the communicator. While operations are in flight nothing
/// else may use the world: each test ends with everything done.
class NcclTest : public testing::Test {
 protected:
  NcclTest() {
    fake::install(test_world());
    cudaStreamCreateWithFlags(&compute_, cudaStreamNonBlocking);
    NcclOptions options;
    options.device = device_of_rank(test_world().local_rank());
    options.who = "rank " + std::to_string(rank_);
    options.timeout = std::chrono::milliseconds(60'000);
    options.compute_stream = [this] { return compute_; };
    options.on_issued = [this](std::uint64_t number) { last_issued_ = number; };
    options.sum_halves = sum_halves;
    options.find_dead = [this] { return std::string(died_ ? kDead : ""); };
    nccl_ = std::make_unique<NcclCommunicator>(test_world().communicator(), options);
  }
  ~NcclTest() override {
    nccl_.reset();
    fake::synchronize(compute_);
    cudaStreamDestroy(compute_);
  }

  /// What a program would have a kernel do.
  static void sum_halves(const void* parts, void* output, std::size_t blocks, std::size_t count,
                         ElementType type, void* stream) {
    fake::launch_on(static_cast<cudaStream_t>(stream), [=] {
      std::vector<const void*> inputs;
      for (std::size_t i = 0; i < blocks; ++i) {
        inputs.push_back(static_cast<const std::byte*>(parts) + i * count * element_bytes(type));
      }
      reduce(inputs, output, count, type, ReduceOp::kSum);
    });
  }

  /// Waits as a program would: the compute stream for the collective, the host for the stream.
  void finish(Completion completion) {
    completion.wait();
    EXPECT_TRUE(fake::synchronize(compute_));
    nccl_->synchronize();
  }

  const int rank_ = test_world().rank();
  const int size_ = test_world().size();
  const std::size_t ranks_ = static_cast<std::size_t>(test_world().size());
  cudaStream_t compute_ = nullptr;
  std::uint64_t last_issued_ = 0;
  static constexpr const char* kDead = "rank 9 on there died, the last that it issued was ...";
  std::atomic<bool> died_{false};
  std::unique_ptr<NcclCommunicator> nccl_;
};

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

/// Long before the time is up, which is a minute here.
TEST_F(NcclTest, ADeadNeighbourEndsWhatIsInFlight) {
  fake::faults().stream_stalls_at = 1 + fake::collectives();
  std::vector<float> buffer(10, 1.0F);
  Completion completion =
      nccl_->all_reduce(buffer.data(), 10, ElementType::kFloat32, ReduceOp::kSum);
  died_ = true;
  try {
    nccl_->synchronize();
    ADD_FAILURE() << "not noticed";
  } catch (const CommunicationError& error) {
    EXPECT_THAT(error.what(), HasSubstr("GPU collective 1, all_reduce (sum) of 10 float32"));
    EXPECT_THAT(error.what(), HasSubstr(kDead));
  }
}

/// What the compute stream does before is seen by the collective, and what it does after sees the
/// collective's result, though the host waits for neither.
TEST_F(NcclTest, OrdersItselfWithTheComputeStream) {
  std::vector<std::int64_t> buffer(100, -1);
  std::vector<std::int64_t> seen;
  fake::launch_on(compute_, [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::fill(buffer.begin(), buffer.end(), rank_ + 1);
  });
  const auto start = std::chrono::steady_clock::now();
  Completion completion =
      nccl_->all_reduce(buffer.data(), buffer.size(), ElementType::kInt64, ReduceOp::kSum);
  completion.wait();
  fake::launch_on(compute_, [&] { seen = buffer; });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(80));
  EXPECT_TRUE(fake::synchronize(compute_));
  EXPECT_TRUE(completion.done());
  EXPECT_EQ(seen, std::vector<std::int64_t>(100, ranks_ * (ranks_ + 1) / 2));
  nccl_->synchronize();
}

TEST_F(NcclTest, AGroupIsOneOperation) {
  std::vector<std::vector<std::int64_t>> buffers(5, std::vector<std::int64_t>(10, rank_));
  fake::forget_calls();
  std::vector<Completion> completions;
  nccl_->start_group();
  for (auto& buffer : buffers) {
    completions.push_back(
        nccl_->all_reduce(buffer.data(), buffer.size(), ElementType::kInt64, ReduceOp::kMax));
  }
  EXPECT_THROW(completions.front().wait(), std::logic_error);
  EXPECT_FALSE(completions.front().done());
  nccl_->end_group();
  for (Completion& completion : completions) finish(std::move(completion));
  EXPECT_EQ(buffers, std::vector(5, std::vector<std::int64_t>(10, size_ - 1)));
  EXPECT_EQ(last_issued_, 1U);
  EXPECT_THAT(fake::calls(),
              ElementsAre("ncclGroupStart", "ncclAllReduce", "ncclAllReduce", "ncclAllReduce",
                          "ncclAllReduce", "ncclAllReduce", "ncclGroupEnd"));
  nccl_->start_group();
  nccl_->end_group();
}

TEST_F(NcclTest, ATreeSumInAGroupStandsAlone) {
  if (!std::has_single_bit(static_cast<unsigned>(size_))) GTEST_SKIP() << "no power of two";
  std::vector<std::int64_t> first(10, 1);
  std::vector<std::int64_t> tree(10, 1);
  std::vector<std::int64_t> last(10, 1);
  nccl_->start_group();
  nccl_->all_reduce(first.data(), 10, ElementType::kInt64, ReduceOp::kSum);
  nccl_->all_reduce(tree.data(), 10, ElementType::kInt64, ReduceOp::kTreeSum);
  Completion completion = nccl_->all_reduce(last.data(), 10, ElementType::kInt64, ReduceOp::kSum);
  nccl_->end_group();
  finish(std::move(completion));
  const std::vector<std::int64_t> expected(10, size_);
  EXPECT_EQ(first, expected);
  EXPECT_EQ(tree, expected);
  EXPECT_EQ(last, expected);
}

TEST_F(NcclTest, ABarrierWaitsForEverythingBefore) {
  std::vector<std::int64_t> buffer(10, 1);
  Completion completion = nccl_->all_reduce(buffer.data(), 10, ElementType::kInt64, ReduceOp::kSum);
  nccl_->barrier();
  EXPECT_TRUE(completion.done());
  EXPECT_EQ(buffer, std::vector<std::int64_t>(10, size_));
}

TEST_F(NcclTest, NothingIsSentForNothing) {
  fake::forget_calls();
  nccl_->all_reduce(nullptr, 0, ElementType::kFloat32, ReduceOp::kSum).wait();
  nccl_->all_gather(nullptr, nullptr, 0, ElementType::kFloat32).wait();
  EXPECT_TRUE(fake::calls().empty());
  EXPECT_THROW(nccl_->all_reduce(nullptr, 3, ElementType::kFloat32, ReduceOp::kSum),
               std::invalid_argument);
}

TEST_F(NcclTest, IsMadeAndFinishedInOrder) {
  nccl_.reset();
  fake::forget_calls();
  {
    NcclOptions options;
    options.device = test_world().local_rank();
    options.compute_stream = [this] { return compute_; };
    NcclCommunicator another(test_world().communicator(), options);
    another.barrier();
  }
  std::vector<std::string> expected{"ncclCommInitRankConfig", "ncclAllReduce", "ncclCommFinalize",
                                    "ncclCommDestroy"};
  if (rank_ == 0) expected.insert(expected.begin(), "ncclGetUniqueId");
  EXPECT_EQ(fake::calls(), expected);
}

TEST_F(NcclTest, TooFewDevicesAreRefused) {
  fake::set_device_count(8);
  EXPECT_EQ(device_of_rank(3), 3);
  EXPECT_THROW(device_of_rank(8), WorldError);
  fake::set_device_count(1);  // each rank is shown one of its own
  EXPECT_EQ(device_of_rank(3), 0);
  fake::set_device_count(test_world().local_size());
}

TEST_F(NcclTest, ADeviceIsDescribed) {
  const DeviceFacts facts = describe_device(0);
  EXPECT_EQ(facts.name, "Fake GPU");
  EXPECT_EQ(facts.uuid, "GPU-f0000000-0000-0000-0000-000000000000");
  EXPECT_EQ(facts.total_bytes, 80'000'000'000U);
  EXPECT_EQ(facts.free_bytes, 60'000'000'000U);
}

TEST_F(NcclTest, TwoRanksOnOneDeviceAreRefused) {
  if (size_ == 1) GTEST_SKIP() << "nobody to share with";
  fake::show_everyone_the_same_device(true);
  NcclOptions options;
  options.device = test_world().local_rank();
  options.compute_stream = [this] { return compute_; };
  try {
    NcclCommunicator refused(test_world().communicator(), options);
    FAIL() << "not refused";
  } catch (const WorldError& error) {
    EXPECT_THAT(error.what(), HasSubstr("ranks 0 and 1 would share one GPU (GPU-f0000000-"));
  }
  fake::show_everyone_the_same_device(false);
}

}  // namespace
}  // namespace casvit::launch
