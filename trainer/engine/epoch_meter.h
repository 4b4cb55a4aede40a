#pragma once

#include <cstdint>
#include <vector>

#include "trainer/engine/step_times.h"

namespace casvit::trainer {

/// What the steps made by this process took: those of the current epoch, and all.
class EpochMeter {
 public:
  /// An epoch begins, or goes on after a restart.
  void start_epoch();
  void add(std::int64_t images, double seconds, const StepTimes& times);

  /// Steps of the epoch that this process made.
  std::int64_t steps() const { return static_cast<std::int64_t>(times_.size()); }
  double seconds_a_step() const { return epoch_.seconds / static_cast<double>(steps()); }
  /// Of all ranks, in steps of the epoch; 0 where none were made.
  double images_per_second() const { return epoch_.rate(); }
  /// The same over all steps.
  double mean_images_per_second() const { return all_.rate(); }
  /// This rank's, step by step.
  const std::vector<StepTimes>& times() const { return times_; }

 private:
  struct Work {
    std::int64_t images = 0;
    double seconds = 0;
    double rate() const { return seconds > 0 ? static_cast<double>(images) / seconds : 0; }
  };
  Work epoch_, all_;
  std::vector<StepTimes> times_;
};

}  // namespace casvit::trainer
