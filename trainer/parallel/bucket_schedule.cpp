#include "trainer/parallel/bucket_schedule.h"

namespace casvit::trainer {

BucketSchedule::BucketSchedule(const BucketLayout& layout) : bucket_of_(layout.bucket) {
  for (const BucketLayout::Bucket& bucket : layout.buckets) {
    members_.push_back(bucket.parameters.size());
  }
  start();
}

void BucketSchedule::start() {
  missing_ = members_;
  launched_ = 0;
}

BucketSchedule::Range BucketSchedule::arrived(std::size_t parameter) {
  --missing_[bucket_of_[parameter]];
  Range ready{launched_, launched_};
  while (ready.end < missing_.size() && missing_[ready.end] == 0) {
    ++ready.end;
  }
  launched_ = ready.end;
  return ready;
}

BucketSchedule::Range BucketSchedule::rest() {
  const Range rest{launched_, missing_.size()};
  launched_ = rest.end;
  return rest;
}

}  // namespace casvit::trainer
