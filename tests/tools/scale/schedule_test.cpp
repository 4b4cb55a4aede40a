// A step's exchanges: every gradient once, in the order of the buckets, none before it is there.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tools/scale/schedule/step_schedule.h"

namespace casvit::scale {
namespace {

ModelProfile random_profile(unsigned seed) {
  std::mt19937 random(seed);
  ModelProfile profile;
  profile.statistics_elements = 100 + random() % 1000;
  profile.macs = 1e9;
  profile.forward_share = 0.3;
  const std::size_t count = 1 + random() % 80;
  for (std::size_t i = 0; i < count; ++i) {
    profile.parameters.push_back({"p" + std::to_string(i),
                                  static_cast<std::int64_t>(1 + random() % 20000),
                                  static_cast<double>(random() % 10001) / 10000});
  }
  return profile;
}

const ComputeTimes kTimes{0.3, 0.7, 0.1};
const ReducerSettings kSmallBuckets{100'000, 20'000, false, false};

double arrival_of(const ModelProfile& profile, std::size_t parameter) {
  return kTimes.forward_seconds + profile.parameters[parameter].arrival * kTimes.backward_seconds;
}

TEST(StepSchedule, ExchangesEveryGradientOnceAndInTheOrderOfBuckets) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    const ModelProfile profile = random_profile(seed);
    for (const int ranks : {2, 8}) {
      for (const bool zero : {false, true}) {
        ReducerSettings settings = kSmallBuckets;
        settings.zero = zero;
        const StepSchedule schedule = StepSchedule::make(profile, settings, kTimes, ranks);
        const auto& buckets = schedule.layout.buckets;
        ASSERT_EQ(schedule.during_backward.size(), buckets.size() + 1);
        std::multiset<std::size_t> exchanged;
        std::int64_t bytes = 0;
        std::int64_t gradient_bytes = 0;
        for (std::size_t b = 0; b < buckets.size(); ++b) {
          const Transfer& transfer = schedule.during_backward[b];
          EXPECT_EQ(transfer.bucket, b);
          EXPECT_EQ(transfer.bytes, buckets[b].length);
          EXPECT_EQ(buckets[b].begin, bytes) << "buckets leave nothing out between them";
          bytes += transfer.bytes;
          for (const std::size_t i : buckets[b].parameters) {
            exchanged.insert(i);
            gradient_bytes += profile.parameters[i].elements * 4;
          }
        }
        EXPECT_EQ(bytes, schedule.layout.length);
        EXPECT_EQ(gradient_bytes, profile.elements() * 4);
        ASSERT_EQ(exchanged.size(), profile.parameters.size());
        for (std::size_t i = 0; i < profile.parameters.size(); ++i) {
          EXPECT_EQ(exchanged.count(i), 1U);
        }
      }
    }
  }
}

TEST(StepSchedule, LaunchesABucketWhenItsGradientsAndThoseOfAllBeforeHaveArrived) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    const ModelProfile profile = random_profile(seed);
    const StepSchedule schedule = StepSchedule::make(profile, kSmallBuckets, kTimes, 8);
    double latest = 0;
    for (std::size_t b = 0; b < schedule.layout.buckets.size(); ++b) {
      for (const std::size_t i : schedule.layout.buckets[b].parameters) {
        latest = std::max(latest, arrival_of(profile, i));
      }
      EXPECT_DOUBLE_EQ(schedule.during_backward[b].ready_seconds, latest);
    }
    EXPECT_DOUBLE_EQ(schedule.during_backward.back().ready_seconds, schedule.compute_seconds)
        << "the tail comes last";
  }
}

TEST(StepSchedule, FollowsTheOrderOfArrival) {
  const ModelProfile profile = random_profile(3);
  const StepSchedule schedule = StepSchedule::make(profile, kSmallBuckets, kTimes, 8);
  double before = 0;
  for (const auto& bucket : schedule.layout.buckets) {
    double latest = before;
    for (const std::size_t i : bucket.parameters) {
      EXPECT_GE(profile.parameters[i].arrival, before);
      latest = std::max(latest, profile.parameters[i].arrival);
    }
    before = latest;
  }
}

TEST(StepSchedule, TheTailHoldsStatisticsLossAndWishesToStop) {
  const ModelProfile profile = random_profile(4);
  const StepSchedule schedule = StepSchedule::make(profile, kSmallBuckets, kTimes, 2);
  EXPECT_EQ(schedule.during_backward.back().bytes, (profile.statistics_elements + 2) * 4);
  EXPECT_FALSE(schedule.during_backward.back().bucket.has_value());
}

TEST(StepSchedule, BFloat16HalvesTheBucketsAndNotTheTail) {
  const ModelProfile profile = random_profile(5);
  ReducerSettings narrow = kSmallBuckets;
  narrow.bfloat16_transport = true;
  const StepSchedule wide = StepSchedule::make(profile, kSmallBuckets, kTimes, 2);
  const StepSchedule half = StepSchedule::make(profile, narrow, kTimes, 2);
  ASSERT_EQ(wide.during_backward.size(), half.during_backward.size());
  for (std::size_t b = 0; b + 1 < wide.during_backward.size(); ++b) {
    EXPECT_EQ(wide.during_backward[b].bytes, 2 * half.during_backward[b].bytes);
  }
  EXPECT_EQ(wide.during_backward.back().bytes, half.during_backward.back().bytes);
}

TEST(StepSchedule, ShardedScattersExchangesNormsAndGathersEveryBucket) {
  const ModelProfile profile = random_profile(6);
  ReducerSettings settings = kSmallBuckets;
  settings.zero = true;
  const StepSchedule schedule = StepSchedule::make(profile, settings, kTimes, 4);
  const std::size_t buckets = schedule.layout.buckets.size();
  ASSERT_EQ(schedule.after_update.size(), buckets);
  for (std::size_t b = 0; b < buckets; ++b) {
    EXPECT_EQ(schedule.during_backward[b].kind, Transfer::Kind::kReduceScatter);
    EXPECT_EQ(schedule.after_update[b].kind, Transfer::Kind::kAllGather);
    EXPECT_EQ(schedule.after_update[b].bytes, schedule.layout.buckets[b].length);
  }
  EXPECT_EQ(schedule.during_backward.back().kind, Transfer::Kind::kAllReduce);
  ASSERT_TRUE(schedule.norms.has_value());
  EXPECT_EQ(schedule.norms->bytes, static_cast<std::int64_t>(profile.parameters.size()) * 8);
  EXPECT_LT(schedule.optimizer_seconds, kTimes.optimizer_seconds);
}

TEST(StepSchedule, OneRankExchangesNothing) {
  const StepSchedule schedule = StepSchedule::make(random_profile(7), kSmallBuckets, kTimes, 1);
  EXPECT_TRUE(schedule.during_backward.empty());
  EXPECT_TRUE(schedule.after_update.empty());
  EXPECT_FALSE(schedule.norms.has_value());
}

TEST(ComputeTimes, CountSixFlopsAMultiplyAccumulateOfATrainingStep) {
  ModelProfile profile = random_profile(8);
  profile.macs = 2e9;
  profile.forward_share = 0.25;
  const ComputeTimes times = compute_times(profile, 64, 1e12, 1e12);
  EXPECT_DOUBLE_EQ(times.forward_seconds + times.backward_seconds, 6 * 2e9 * 64 / 1e12);
  EXPECT_DOUBLE_EQ(times.backward_seconds, 3 * times.forward_seconds);
}

}  // namespace
}  // namespace casvit::scale
