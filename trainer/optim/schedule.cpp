#include "trainer/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace casvit::trainer {
namespace {

double warmup_value(const ScheduleOptions& options, std::int64_t step) {
  if (options.warmup_steps == 1) {
    return options.warmup_start;  // as numpy.linspace of one value
  }
  const double share = static_cast<double>(step) / static_cast<double>(options.warmup_steps - 1);
  return options.warmup_start + share * (options.peak - options.warmup_start);
}

}  // namespace

double schedule_value(const ScheduleOptions& options, std::int64_t step) {
  if (step < options.warmup_steps) {
    return warmup_value(options, step);
  }
  const auto length = static_cast<double>(options.total_steps - options.warmup_steps);
  const double share = std::min(1.0, static_cast<double>(step - options.warmup_steps) / length);
  switch (options.kind) {
    case ScheduleKind::kCosine:
      return options.minimum +
             0.5 * (options.peak - options.minimum) * (1.0 + std::cos(std::numbers::pi * share));
    case ScheduleKind::kLinear:
      return options.peak + share * (options.minimum - options.peak);
    case ScheduleKind::kStep: {
      const auto fallen = std::ranges::upper_bound(options.falls, step) - options.falls.begin();
      return std::max(options.minimum,
                      options.peak * std::pow(options.fall_factor, static_cast<double>(fallen)));
    }
    case ScheduleKind::kConstant:
      return options.peak;
  }
  return options.peak;
}

double drop_path_factor(DropPathSchedule schedule, std::int64_t cutoff_step, std::int64_t step) {
  switch (schedule) {
    case DropPathSchedule::kConstant:
      return 1;
    case DropPathSchedule::kEarly:
      return step < cutoff_step ? 1 : 0;
    case DropPathSchedule::kEarlyLinear: {
      const auto last = static_cast<double>(std::max<std::int64_t>(cutoff_step - 1, 1));
      return step < cutoff_step ? 1 - static_cast<double>(step) / last : 0;
    }
    case DropPathSchedule::kLate:
      return step < cutoff_step ? 0 : 1;
  }
  return 1;
}

}  // namespace casvit::trainer
