#include "dataio/loader/step_table.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "dataio/error.h"
#include "dataio/random/counter_rng.h"

namespace casvit::dataio {
namespace {

std::int64_t shard_size_at(const StepTableOptions& options, int image_size) {
  const double pixels = static_cast<double>(options.shard_size) * options.image_size *
                        options.image_size / image_size / image_size;
  const bool published = options.multi_scale->rule == MultiScaleRule::kPublished;
  // The published sampler rounds to hundredths before it cuts off the fraction.
  auto size = static_cast<std::int64_t>(published ? std::nearbyint(pixels * 100) / 100 : pixels);
  if (published) size = std::max(size, options.shard_size);
  return std::max<std::int64_t>(size - size % 2, 2);
}

/// Calls `visit(first, scale)` for every step of an epoch. Shard sizes do not grow with the image
/// size, so that the sizes whose batch still fits are the last of `scales`.
template <typename Visit>
void walk_epoch(const StepTableOptions& options, const std::vector<ImageScale>& scales,
                std::int64_t epoch, const Visit& visit) {
  CounterRng rng(options.seed, RandomUse::kMultiScale, static_cast<std::uint64_t>(epoch), 0);
  std::int64_t first = 0;
  std::size_t fitting = 0;
  while (true) {
    const std::int64_t left = options.samples - first;
    while (fitting < scales.size() && options.shards * scales[fitting].shard_size > left) ++fitting;
    if (fitting == scales.size()) return;
    const ImageScale& scale = scales[fitting + rng.below(scales.size() - fitting)];
    visit(first, scale);
    first += options.shards * scale.shard_size;
  }
}

}  // namespace

std::vector<ImageScale> image_scales(const StepTableOptions& options) {
  if (!options.multi_scale) return {{options.image_size, options.shard_size}};
  const MultiScaleOptions& multi_scale = *options.multi_scale;
  if (multi_scale.divisor < 1 || multi_scale.min_size < 1) {
    throw UsageError("image sizes and their divisor must be at least 1");
  }
  std::vector<ImageScale> scales;
  const int divisor = multi_scale.divisor;
  for (std::int64_t size = (std::int64_t{multi_scale.min_size} + divisor - 1) / divisor * divisor;
       size <= multi_scale.max_size; size += divisor) {
    scales.push_back({static_cast<int>(size), shard_size_at(options, static_cast<int>(size))});
  }
  if (scales.empty()) {
    throw UsageError("no image size from " + std::to_string(multi_scale.min_size) + " to " +
                     std::to_string(multi_scale.max_size) + " is a multiple of " +
                     std::to_string(divisor));
  }
  return scales;
}

StepTable::StepTable(const StepTableOptions& options)
    : options_(options), scales_(image_scales(options)) {
  const std::int64_t smallest_batch = options.shards * scales_.back().shard_size;
  if (options.samples < smallest_batch) {
    throw UsageError("the training data hold " + std::to_string(options.samples) +
                     " samples, less than one global batch of " + std::to_string(smallest_batch) +
                     " (batch.shards x batch.shard_size); make the batch smaller");
  }
  if (is_uniform()) return;
  first_steps_.reserve(static_cast<std::size_t>(options.epochs) + 1);
  std::int64_t steps = 0;
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    first_steps_.push_back(steps);
    walk_epoch(options_, scales_, epoch, [&](std::int64_t, const ImageScale&) { ++steps; });
  }
  first_steps_.push_back(steps);
}

std::int64_t StepTable::first_step(std::int64_t epoch) const {
  if (!is_uniform()) return first_steps_.at(static_cast<std::size_t>(epoch));
  return epoch * (options_.samples / (options_.shards * scales_[0].shard_size));
}

std::int64_t StepTable::steps_in_epoch(std::int64_t epoch) const {
  return first_step(epoch + 1) - first_step(epoch);
}

std::int64_t StepTable::epoch_of(std::int64_t step) const {
  if (is_uniform()) return step / first_step(1);
  const auto after = std::upper_bound(first_steps_.begin(), first_steps_.end(), step);
  return after - first_steps_.begin() - 1;
}

std::vector<StepShape> StepTable::steps_of(std::int64_t epoch) const {
  std::vector<StepShape> steps;
  walk_epoch(options_, scales_, epoch, [&](std::int64_t first, const ImageScale& scale) {
    steps.push_back({epoch, static_cast<std::int64_t>(steps.size()), first, scale.image_size,
                     scale.shard_size});
  });
  return steps;
}

const StepShape& StepCursor::at(std::int64_t step) {
  const std::int64_t epoch = table_.epoch_of(step);
  if (epoch != epoch_) {
    steps_ = table_.steps_of(epoch);
    epoch_ = epoch;
  }
  return steps_.at(static_cast<std::size_t>(step - table_.first_step(epoch)));
}

}  // namespace casvit::dataio
