#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <string>

#include "trainer/report/metrics.h"

namespace casvit::trainer {

/// Where a run stands, for Prometheus. One thread trains and stores, another asks for the text:
/// every figure is an atomic of its own, so that neither ever waits for the other. A text may hold
/// one figure of this step beside one of the step before.
class RunGauges {
 public:
  /// What does not change.
  struct Facts {
    std::string version;
    std::string model;
    std::string run_folder;
    int ranks = 1;
    int epochs = 0;                 ///< of the whole run
    std::int64_t last_step = 0;     ///< where it ends
    double started = 0;             ///< this process, seconds since 1970
    std::int64_t steps_before = 0;  ///< what was before this process
    std::int64_t epochs_before = 0;
    std::int64_t skipped_before = 0;
    std::int64_t replaced_before = 0;
  };
  explicit RunGauges(Facts facts);

  /// @param images of all ranks. @param skipped, replaced over all starts of the run
  void note(const StepMetrics& metrics, std::int64_t images, std::int64_t skipped,
            std::int64_t replaced);
  void note(const EpochMetrics& metrics);
  void note(const PauseMetrics& metrics);

  /// In the format of PrometheusText. From any thread.
  std::string text() const;

 private:
  /// Written by one thread, read by others, in no order with anything else.
  class Figure {
   public:
    Figure() = default;
    explicit Figure(double value) : value_(value) {}
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    void add(double value) { set(get() + value); }
    double get() const { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<double> value_ = 0;
  };
  /// Of one set of weights; NaN: never evaluated.
  struct Scores {
    Figure acc1{std::numeric_limits<double>::quiet_NaN()}, acc5, loss;
  };
  /// Upper bounds, seconds.
  static constexpr std::array<double, 14> kStepBounds{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                                      2.5,  5,     10,   25,  50,   100, 250};

  const Facts facts_;
  Figure step_, epochs_done_, epoch_;
  Figure loss_, learning_rate_, gradient_norm_, images_per_second_;
  Figure images_, steps_, skipped_, replaced_;
  Figure data_, compute_, communication_, optimizer_;
  Figure step_sum_, stepped_at_;
  std::array<std::atomic<std::uint64_t>, kStepBounds.size() + 1> step_counts_{};
  Figure evaluation_, checkpoint_, report_;
  Scores model_, average_;
};

}  // namespace casvit::trainer
