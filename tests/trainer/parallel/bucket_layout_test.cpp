// Every parameter has a place of its own, in its type's bucket, in its owner's part.

#include "trainer/parallel/bucket_layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

namespace casvit::trainer {
namespace {

struct Case {
  std::vector<BucketLayout::Parameter> parameters;
  std::vector<std::size_t> order;
};

Case random_case(std::mt19937& random, int types) {
  Case made;
  const std::size_t count = 1 + random() % 60;
  for (std::size_t i = 0; i < count; ++i) {
    made.parameters.push_back(
        {static_cast<std::int64_t>(4 * (1 + random() % 5000)), static_cast<int>(random()) % types});
  }
  made.order.resize(count);
  std::iota(made.order.begin(), made.order.end(), std::size_t{0});
  std::shuffle(made.order.begin(), made.order.end(), random);
  return made;
}

TEST(BucketLayout, PlacesEveryParameterOnceWithinItsOwnersPart) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    const int owners = 1 << (round % 4);
    const Case made = random_case(random, 1 + round % 3);
    const BucketLayout layout =
        BucketLayout::make(made.parameters, made.order, {20000, 4000, owners});
    std::vector<std::pair<std::int64_t, std::int64_t>> places;
    std::size_t placed = 0;
    for (std::size_t b = 0; b < layout.buckets.size(); ++b) {
      const BucketLayout::Bucket& bucket = layout.buckets[b];
      EXPECT_EQ(bucket.length % (owners * BucketLayout::kAlignment), 0);
      for (const std::size_t i : bucket.parameters) {
        ++placed;
        EXPECT_EQ(layout.bucket[i], b);
        EXPECT_EQ(made.parameters[i].type, bucket.type);
        EXPECT_EQ(layout.offset[i] % BucketLayout::kAlignment, 0);
        EXPECT_GE(layout.offset[i], layout.part_begin(b, layout.owner[i]));
        EXPECT_LE(layout.offset[i] + made.parameters[i].bytes,
                  layout.part_begin(b, layout.owner[i]) + layout.part_length(b));
        places.emplace_back(layout.offset[i], made.parameters[i].bytes);
      }
    }
    EXPECT_EQ(placed, made.parameters.size());
    std::sort(places.begin(), places.end());
    for (std::size_t i = 1; i < places.size(); ++i) {
      EXPECT_LE(places[i - 1].first + places[i - 1].second, places[i].first);
    }
  }
}

TEST(BucketLayout, OwnedOffsetsFillEachOwnersVectorWithoutOverlap) {
  std::mt19937 random(2);
  const Case made = random_case(random, 1);
  const BucketLayout layout = BucketLayout::make(made.parameters, made.order, {20000, 4000, 4});
  for (int owner = 0; owner < 4; ++owner) {
    std::vector<std::pair<std::int64_t, std::int64_t>> places;
    for (std::size_t i = 0; i < made.parameters.size(); ++i) {
      if (layout.owner[i] != owner) continue;
      places.emplace_back(layout.owned_offset(i), made.parameters[i].bytes);
      EXPECT_LE(layout.owned_offset(i) + made.parameters[i].bytes, layout.owned_length());
    }
    std::sort(places.begin(), places.end());
    for (std::size_t i = 1; i < places.size(); ++i) {
      EXPECT_LE(places[i - 1].first + places[i - 1].second, places[i].first);
    }
  }
}

TEST(BucketLayout, FollowsTheOrderOfArrivalAndBeginsWithASmallBucket) {
  const std::vector<BucketLayout::Parameter> parameters(10, {1024, 0});
  const std::vector<std::size_t> order{9, 7, 8, 6, 5, 4, 3, 2, 1, 0};
  const BucketLayout layout = BucketLayout::make(parameters, order, {4096, 2048, 1});
  ASSERT_EQ(layout.buckets.size(), 3U);
  EXPECT_EQ(layout.buckets[0].parameters, (std::vector<std::size_t>{9, 7}));
  EXPECT_EQ(layout.buckets[1].parameters, (std::vector<std::size_t>{8, 6, 5, 4}));
  EXPECT_EQ(layout.buckets[2].parameters, (std::vector<std::size_t>{3, 2, 1, 0}));
  EXPECT_EQ(layout.offset[0], layout.length - 1024);
}

}  // namespace
}  // namespace casvit::trainer
