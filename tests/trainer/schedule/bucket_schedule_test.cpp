// Gradients that arrive in another order and at other times on every rank, from a thread of their
// own: exchanges meet all the same. Random schedules under mpirun.

#include "trainer/parallel/bucket_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "tests/launch/world_main.h"

namespace casvit::trainer {
namespace {

constexpr int kSchedules = 1000;

/// A model's gradients, drawn alike on every rank: whole numbers, whose sums are exact.
class Schedule {
 public:
  Schedule(std::mt19937& drawn_alike, launch::Communicator& communicator)
      : communicator_(communicator) {
    const std::size_t count = 1 + drawn_alike() % 30;
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), drawn_alike);
    for (std::size_t i = 0; i < count; ++i) {
      parameters_.push_back({static_cast<std::int64_t>(4 * (1 + drawn_alike() % 1000)), 0});
    }
    BucketLayout::Options options;
    options.bucket_bytes = 64 << (drawn_alike() % 10);
    options.first_bucket_bytes = 64 << (drawn_alike() % 6);
    options.owners = drawn_alike() % 2 == 0 ? 1 : communicator.size();
    layout_ = BucketLayout::make(parameters_, order, options);
    schedule_ = BucketSchedule(layout_);
    unused_ = drawn_alike() % 4 == 0 ? drawn_alike() % count : count;
  }

  /// A step: gradients arrive on a thread of their own, in an order of this rank's.
  void step(std::mt19937& own, int number) {
    gradients_.assign(static_cast<std::size_t>(layout_.length) / sizeof(float), 0.0F);
    under_way_.clear();
    schedule_.start();
    std::thread backward([&] {
      std::vector<std::size_t> arrival(parameters_.size());
      std::iota(arrival.begin(), arrival.end(), std::size_t{0});
      std::shuffle(arrival.begin(), arrival.end(), own);
      for (const std::size_t i : arrival) {
        if (i == unused_) continue;
        for (auto yields = own() % 8; yields > 0; --yields) std::this_thread::yield();
        std::fill_n(gradient(i), elements(i), value(i, number, communicator_.rank()));
        launch(schedule_.arrived(i));
      }
    });
    backward.join();
    launch(schedule_.rest());
    for (launch::Completion& completion : under_way_) completion.wait();
  }

  /// Each rank has the sums of its own parts at least; of all where they are not divided.
  void expect_sums(int number) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      if (layout_.owners > 1 && layout_.owner[i] != communicator_.rank()) continue;
      float expected = 0;
      for (int rank = 0; rank < communicator_.size() && i != unused_; ++rank) {
        expected += value(i, number, rank);
      }
      const float* first = gradient(i);
      ASSERT_EQ(std::count(first, first + elements(i), expected), elements(i)) << "parameter " << i;
    }
  }

 private:
  static float value(std::size_t parameter, int number, int rank) {
    return static_cast<float>(parameter * 7 + static_cast<std::size_t>(number * 3 + rank * rank));
  }
  float* gradient(std::size_t i) {
    return gradients_.data() + layout_.offset[i] / static_cast<std::int64_t>(sizeof(float));
  }
  std::int64_t elements(std::size_t i) const {
    return parameters_[i].bytes / static_cast<std::int64_t>(sizeof(float));
  }

  void launch(const BucketSchedule::Range& range) {
    for (std::size_t b = range.begin; b < range.end; ++b) {
      const auto length = static_cast<std::size_t>(layout_.buckets[b].length) / sizeof(float);
      float* const first = gradients_.data() + layout_.buckets[b].begin / 4;
      if (layout_.owners == 1) {
        under_way_.push_back(communicator_.all_reduce(first, length, launch::ElementType::kFloat32,
                                                      launch::ReduceOp::kSum));
        continue;
      }
      const std::size_t part = length / static_cast<std::size_t>(layout_.owners);
      under_way_.push_back(communicator_.reduce_scatter(
          first, first + part * static_cast<std::size_t>(communicator_.rank()), part,
          launch::ElementType::kFloat32, launch::ReduceOp::kSum));
    }
  }

  launch::Communicator& communicator_;
  std::vector<BucketLayout::Parameter> parameters_;
  BucketLayout layout_;
  BucketSchedule schedule_;
  std::size_t unused_ = 0;  ///< a parameter that no gradient reaches; their number: none
  std::vector<float> gradients_;
  std::vector<launch::Completion> under_way_;
};

TEST(BucketSchedule, RandomOrdersOfArrivalMeetOnEveryRank) {
  launch::Communicator& communicator = launch::test_world().communicator();
  std::mt19937 drawn_alike(11);
  std::mt19937 own(static_cast<unsigned>(100 + communicator.rank()));
  for (int round = 0; round < kSchedules; ++round) {
    Schedule schedule(drawn_alike, communicator);
    for (int number = 0; number < 2; ++number) {
      schedule.step(own, number);
      schedule.expect_sums(number);
    }
    if (HasFatalFailure()) FAIL() << "schedule " << round;
  }
}

TEST(BucketSchedule, LaunchesBucketsInOrderOnlyAndAllOfThemOnce) {
  BucketLayout::Options options;
  options.bucket_bytes = options.first_bucket_bytes = 64;
  const BucketLayout layout =
      BucketLayout::make(std::vector<BucketLayout::Parameter>(4, {64, 0}), {0, 1, 2, 3}, options);
  BucketSchedule schedule(layout);
  BucketSchedule::Range range = schedule.arrived(1);
  EXPECT_EQ(range.begin, range.end);
  range = schedule.arrived(0);
  EXPECT_EQ(range.begin, 0U);
  EXPECT_EQ(range.end, 2U);
  range = schedule.arrived(3);
  EXPECT_EQ(range.begin, range.end);
  range = schedule.rest();
  EXPECT_EQ(range.begin, 2U);
  EXPECT_EQ(range.end, 4U);
}

}  // namespace
}  // namespace casvit::trainer
