#include "trainer/parallel/bucket_tuner.h"

#include <algorithm>
#include <array>
#include <limits>

namespace casvit::trainer {

BucketTuner BucketTuner::fixed(std::int64_t bucket_bytes) {
  BucketTuner tuner;
  tuner.best_ = bucket_bytes;
  return tuner;
}

/// The default first: it is the one to beat.
BucketTuner::BucketTuner(std::int64_t gradient_bytes) {
  constexpr std::array<std::int64_t, 4> kSizes{kDefaultBytes, 1 << 20, 16 << 20, 64 << 20};
  for (const std::int64_t size : kSizes) {
    // Of the sizes that take everything at once, the smallest is enough.
    if (size == kDefaultBytes || size / 4 < gradient_bytes) {
      candidates_.push_back(size);
    }
  }
  fastest_.assign(candidates_.size(), std::numeric_limits<double>::infinity());
}

bool BucketTuner::record(double seconds) {
  if (done()) {
    return false;
  }
  // The first step with new buckets touches new memory.
  if (steps_ > 0) {
    fastest_[trial_] = std::min(fastest_[trial_], seconds);
  }
  if (++steps_ <= kMeasured) {
    return false;
  }
  steps_ = 0;
  if (++trial_ == candidates_.size()) {
    choose();
  }
  return true;
}

void BucketTuner::choose() {
  const auto fastest = std::min_element(fastest_.begin(), fastest_.end()) - fastest_.begin();
  const auto i = static_cast<std::size_t>(fastest);
  best_ = fastest_[i] < (1 - kWorthwhile) * fastest_[0] ? candidates_[i] : candidates_[0];
}

}  // namespace casvit::trainer
