#pragma once

#include <cstdint>
#include <vector>

namespace casvit::trainer {

enum class ScheduleKind {
  kCosine,    ///< half a cosine from the warm-up's end on: the published `cosine_scheduler`
  kLinear,    ///< a straight line from the warm-up's end on
  kStep,      ///< falls by a factor every so often, counted from the first step; timm's "step"
  kConstant,  ///< stays at its peak
};

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::kCosine;
  double peak = 1e-3;
  double minimum = 1e-6;  ///< at the end, and never less (kConstant: not used)
  double warmup_start = 0;
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 1;
  std::vector<std::int64_t> falls;  ///< kStep: the first steps of the lower values, ascending
  double fall_factor = 0.1;         ///< kStep
};

/// Value at a step (from 0): linear from `warmup_start`, reaching `peak` at the last warm-up step,
/// then as the kind has it.
double schedule_value(const ScheduleOptions& options, std::int64_t step);

/// Over the training, what stochastic depth's rates are multiplied by ("Dropout Reduces
/// Underfitting", Liu et al., arXiv:2303.01500).
enum class DropPathSchedule {
  kConstant,
  kEarly,        ///< 1, and 0 from `cutoff_step` on
  kEarlyLinear,  ///< falls to 0 at the last step before `cutoff_step`
  kLate,         ///< 0, and 1 from `cutoff_step` on
};
double drop_path_factor(DropPathSchedule schedule, std::int64_t cutoff_step, std::int64_t step);

/// Everything that a schedule decides about one step.
struct StepRates {
  double learning_rate = 0;
  double weight_decay = 0;
  double drop_path_factor = 1;
};

/// All of a run's schedules.
struct TrainingSchedule {
  ScheduleOptions learning_rate;
  ScheduleOptions weight_decay;
  DropPathSchedule drop_path = DropPathSchedule::kConstant;
  std::int64_t drop_path_cutoff = 0;  ///< step

  std::int64_t total_steps() const { return learning_rate.total_steps; }
  StepRates at(std::int64_t step) const {
    return {schedule_value(learning_rate, step), schedule_value(weight_decay, step),
            drop_path_factor(drop_path, drop_path_cutoff, step)};
  }
};

}  // namespace casvit::trainer
