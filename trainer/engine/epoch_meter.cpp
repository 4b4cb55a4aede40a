#include "trainer/engine/epoch_meter.h"

namespace casvit::trainer {

void EpochMeter::start_epoch() {
  epoch_ = {};
  times_.clear();
}

void EpochMeter::add(std::int64_t images, double seconds, const StepTimes& times) {
  for (Work* work : {&epoch_, &all_}) {
    work->images += images;
    work->seconds += seconds;
  }
  times_.push_back(times);
}

}  // namespace casvit::trainer
