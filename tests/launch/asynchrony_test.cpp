// What several operations in flight may and may not do to one another.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <thread>
#include <vector>

#include "tests/launch/world_main.h"

namespace casvit::launch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::int64_t sum_of_ranks() {
  const std::int64_t ranks = test_world().size();
  return ranks * (ranks - 1) / 2;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto in_seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
}

TEST(Asynchrony, ManyOperationsInFlightWaitedForBackwards) {
  Communicator& communicator = test_world().communicator();
  constexpr std::size_t kOperations = 300;
  const int rank = test_world().rank();
  std::vector<std::vector<std::int64_t>> buffers;
  std::vector<Completion> completions;
  for (std::size_t i = 0; i < kOperations; ++i) {
    buffers.emplace_back(i * 37 % 5000, rank + static_cast<std::int64_t>(i));
  }
  for (std::size_t i = 0; i < kOperations; ++i) {
    auto& buffer = buffers[i];
    completions.push_back(
        i % 3 == 0 ? communicator.broadcast(buffer.data(), buffer.size(), ElementType::kInt64,
                                            static_cast<int>(i) % test_world().size())
                   : communicator.all_reduce(buffer.data(), buffer.size(), ElementType::kInt64,
                                             i % 3 == 1 ? ReduceOp::kSum : ReduceOp::kMax));
  }
  for (std::size_t i = kOperations; i-- > 0;) {
    completions[i].wait();
    const auto number = static_cast<std::int64_t>(i);
    const std::int64_t ranks = test_world().size();
    const std::int64_t expected = i % 3 == 0   ? number + number % ranks
                                  : i % 3 == 1 ? sum_of_ranks() + ranks * number
                                               : number + ranks - 1;
    EXPECT_EQ(buffers[i], std::vector<std::int64_t>(buffers[i].size(), expected)) << i;
  }
}

TEST(Asynchrony, CompletesInTheOrderOfIssue) {
  Communicator& communicator = test_world().communicator();
  std::vector<float> large(2'000'000, 1.0F);
  std::vector<float> small(1, 1.0F);
  Completion first =
      communicator.all_reduce(large.data(), large.size(), ElementType::kFloat32, ReduceOp::kSum);
  Completion nothing = communicator.all_reduce(nullptr, 0, ElementType::kFloat32, ReduceOp::kSum);
  Completion last = communicator.all_reduce(small.data(), 1, ElementType::kFloat32, ReduceOp::kSum);
  last.wait();
  EXPECT_TRUE(first.done());
  EXPECT_TRUE(nothing.done());
  EXPECT_EQ(large.back(), static_cast<float>(test_world().size()));
}

TEST(Asynchrony, GoesOnWhileTheCallerDoesSomethingElse) {
  Communicator& communicator = test_world().communicator();
  std::vector<float> buffer(100'000, 1.0F);
  Completion completion =
      communicator.all_reduce(buffer.data(), buffer.size(), ElementType::kFloat32, ReduceOp::kSum);
  // Nobody waits: only the time it takes, with much to spare for a busy machine.
  for (int i = 0; i < 2000 && !completion.done(); ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_TRUE(completion.done());
  EXPECT_EQ(buffer[99'999], static_cast<float>(test_world().size()));
}

TEST(Asynchrony, ACompletionMayBeDropped) {
  Communicator& communicator = test_world().communicator();
  std::vector<std::int64_t> buffer(1000, test_world().rank());
  communicator.all_reduce(buffer.data(), buffer.size(), ElementType::kInt64, ReduceOp::kSum);
  communicator.barrier();
  EXPECT_EQ(buffer, std::vector<std::int64_t>(1000, sum_of_ranks()));
}

TEST(Asynchrony, CallsMayComeFromAnotherThread) {
  std::int64_t value = test_world().rank();
  std::async(std::launch::async, [&] {
    test_world().communicator().all_reduce(&value, 1, ElementType::kInt64, ReduceOp::kSum).wait();
  }).get();
  EXPECT_EQ(value, sum_of_ranks());
}

TEST(Asynchrony, CommunicatorsShareOneSequence) {
  const auto other = test_world().make_communicator(128);
  std::vector<std::int64_t> left(500, test_world().rank());
  std::vector<std::int64_t> right(500, test_world().rank());
  std::vector<Completion> completions;
  for (std::size_t i = 0; i < 500; i += 100) {
    completions.push_back(test_world().communicator().all_reduce(
        left.data() + i, 100, ElementType::kInt64, ReduceOp::kSum));
    completions.push_back(
        other->all_reduce(right.data() + i, 100, ElementType::kInt64, ReduceOp::kSum));
  }
  for (Completion& completion : completions) completion.wait();
  EXPECT_EQ(left, std::vector<std::int64_t>(500, sum_of_ranks()));
  EXPECT_EQ(right, left);
}

/// Whoever waits must leave the core to the one that is waited for.
TEST(Asynchrony, WaitingCostsLittleTime) {
  Communicator& communicator = test_world().communicator();
  communicator.barrier();
  const double before = cpu_seconds();
  if (test_world().rank() == 0) std::this_thread::sleep_for(seconds(2));
  communicator.barrier();
  EXPECT_LT(cpu_seconds() - before, 0.5);
}

TEST(Strings, AreGatheredInRankOrder) {
  const auto text_of = [](int rank) {
    if (rank == 0) return std::string();
    std::string text(static_cast<std::size_t>(rank) * 1000, static_cast<char>('a' + rank));
    text[1] = '\0';
    return text;
  };
  const std::vector<std::string> all =
      all_gather_strings(test_world().communicator(), text_of(test_world().rank()));
  ASSERT_EQ(all.size(), static_cast<std::size_t>(test_world().size()));
  for (int rank = 0; rank < test_world().size(); ++rank) {
    EXPECT_EQ(all[static_cast<std::size_t>(rank)], text_of(rank));
  }
}

TEST(Layout, IsThatOfOneNode) {
  const World& world = test_world();
  EXPECT_EQ(world.size(), std::stoi(std::getenv("OMPI_COMM_WORLD_SIZE")));
  EXPECT_EQ(world.rank(), std::stoi(std::getenv("OMPI_COMM_WORLD_RANK")));
  EXPECT_EQ(world.local_rank(), std::stoi(std::getenv("OMPI_COMM_WORLD_LOCAL_RANK")));
  EXPECT_EQ(world.local_size(), world.size());
  EXPECT_EQ(world.node_count(), 1);
  // Tests run unbound: all ranks have the same mask.
  EXPECT_EQ(world.has_private_cores(), world.size() == 1);
  EXPECT_EQ(world.plan_threads(0).compute, std::max(usable_cores() / world.local_size(), 1));
}

}  // namespace
}  // namespace casvit::launch
