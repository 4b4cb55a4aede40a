// NcclCommunicator over the fakes: streams, groups, barriers, devices, and the calls that NCCL sees
// from the beginning to the end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "launch/error.h"
#include "tests/launch/nccl/nccl_test.h"

namespace casvit::launch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
