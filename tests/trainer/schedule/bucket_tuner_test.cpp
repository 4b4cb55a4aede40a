// Which bucket size is found, from made-up step times.

#include "trainer/parallel/bucket_tuner.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace casvit::trainer {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

/// Has trials end; `seconds` of a step by bucket size.
std::int64_t found(BucketTuner tuner, const std::function<double(std::int64_t)>& seconds) {
  for (int steps = 0; !tuner.done(); ++steps) {
    if (steps > 100) {
      ADD_FAILURE() << "no end";
      break;
    }
    tuner.record(seconds(tuner.bucket_bytes()));
  }
  return tuner.bucket_bytes();
}

TEST(BucketTuner, FindsTheSizeWithTheShortestSteps) {
  for (const std::int64_t best : {kMiB, 4 * kMiB, 16 * kMiB, 64 * kMiB}) {
    EXPECT_EQ(found(BucketTuner(80 * kMiB),
                    [&](std::int64_t bytes) { return bytes == best ? 0.5 : 0.6; }),
              best);
  }
}

TEST(BucketTuner, KeepsTheDefaultWhereNothingIsWorthwhile) {
  EXPECT_EQ(
      found(BucketTuner(80 * kMiB), [](std::int64_t bytes) { return bytes == kMiB ? 0.99 : 1.0; }),
      BucketTuner::kDefaultBytes);
}

TEST(BucketTuner, TriesNoTwoSizesThatTakeEverythingAtOnce) {
  std::set<std::int64_t> tried;
  found(BucketTuner(13 * kMiB), [&](std::int64_t bytes) {
    tried.insert(bytes);
    return 1.0;
  });
  EXPECT_EQ(tried, (std::set<std::int64_t>{kMiB, 4 * kMiB, 16 * kMiB}));
}

TEST(BucketTuner, PassesOverTheFirstStepOfATrialAndOneSlowOne) {
  BucketTuner tuner(80 * kMiB);
  const std::int64_t before = tuner.bucket_bytes();
  for (const double seconds : {0.01, 1.0, 9.0, 1.0}) {
    EXPECT_EQ(tuner.bucket_bytes(), before);
    tuner.record(seconds);
  }
  // The default's fastest step that counted took 1 s: 0.9 s is better, and 0.01 s was none.
  EXPECT_EQ(found(tuner, [](std::int64_t bytes) { return bytes == 16 * kMiB ? 0.9 : 2.0; }),
            16 * kMiB);
}

TEST(BucketTuner, EndsATrialOnceAndThenNoMore) {
  BucketTuner tuner(13 * kMiB);
  int ends = 0;
  for (int step = 0; step < 50; ++step) ends += tuner.record(1) ? 1 : 0;
  EXPECT_EQ(ends, 3);
  EXPECT_FALSE(BucketTuner::fixed(kMiB).record(1));
  EXPECT_EQ(BucketTuner::fixed(kMiB).bucket_bytes(), kMiB);
}

}  // namespace
}  // namespace casvit::trainer
