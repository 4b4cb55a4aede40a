#include "tools/scale/schedule/step_schedule.h"

#include <algorithm>
#include <numeric>

namespace casvit::scale {
namespace {

constexpr std::int64_t kFloat32 = 4;
constexpr std::int64_t kFloat64 = 8;
constexpr std::int64_t kBFloat16 = 2;

/// Bytes that one update moves for each parameter: AdamW reads parameter, gradient and two moments
/// and writes three of them (28), clipping reads and writes the gradient and the norm reads it
/// (12), EMA reads two and writes one (12).
constexpr double kUpdateBytes = 52;

std::vector<std::size_t> order_of_arrival(const ModelProfile& profile) {
  std::vector<std::size_t> order(profile.parameters.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Where two arrive together, the later one in the model was first in backward.
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const double left = profile.parameters[a].arrival;
    const double right = profile.parameters[b].arrival;
    return left < right || (left == right && a > b);
  });
  return order;
}

}  // namespace

ComputeTimes compute_times(const ModelProfile& profile, int samples, double flops_per_second,
                           double memory_bytes_per_second) {
  const double flops = 2.0 * profile.macs * 3 * samples;
  const double seconds = flops / flops_per_second;
  return {seconds * profile.forward_share, seconds * (1 - profile.forward_share),
          kUpdateBytes * static_cast<double>(profile.elements()) / memory_bytes_per_second};
}

StepSchedule StepSchedule::make(const ModelProfile& profile, const ReducerSettings& settings,
                                const ComputeTimes& times, int ranks) {
  StepSchedule schedule;
  std::vector<trainer::BucketLayout::Parameter> sizes;
  for (const ModelProfile::Parameter& parameter : profile.parameters) {
    sizes.push_back({parameter.elements * kFloat32, 0});
  }
  const bool sharded = settings.zero && ranks > 1;
  schedule.layout = trainer::BucketLayout::make(
      sizes, order_of_arrival(profile),
      {settings.bucket_bytes, settings.first_bucket_bytes, sharded ? ranks : 1});
  schedule.compute_seconds = times.forward_seconds + times.backward_seconds;
  schedule.optimizer_seconds = times.optimizer_seconds *
                               static_cast<double>(schedule.layout.owned_length()) /
                               static_cast<double>(profile.elements() * kFloat32);
  if (ranks == 1) {
    return schedule;
  }

  const std::int64_t width = settings.bfloat16_transport ? kBFloat16 : kFloat32;
  double ready = 0;
  for (std::size_t b = 0; b < schedule.layout.buckets.size(); ++b) {
    const trainer::BucketLayout::Bucket& bucket = schedule.layout.buckets[b];
    for (const std::size_t i : bucket.parameters) {
      ready = std::max(
          ready, times.forward_seconds + profile.parameters[i].arrival * times.backward_seconds);
    }
    schedule.during_backward.push_back(
        {sharded ? Transfer::Kind::kReduceScatter : Transfer::Kind::kAllReduce,
         bucket.length / kFloat32 * width, width, ready, b});
    if (sharded) {
      schedule.after_update.push_back({Transfer::Kind::kAllGather, bucket.length, kFloat32, 0, b});
    }
  }
  // Two more for the loss and the wishes to stop.
  schedule.during_backward.push_back({Transfer::Kind::kAllReduce,
                                      (profile.statistics_elements + 2) * kFloat32,
                                      kFloat32,
                                      schedule.compute_seconds,
                                      {}});
  if (sharded) {
    schedule.norms = Transfer{Transfer::Kind::kAllReduce,
                              static_cast<std::int64_t>(profile.parameters.size()) * kFloat64,
                              kFloat64,
                              0,
                              {}};
  }
  return schedule;
}

}  // namespace casvit::scale
