#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace casvit::dataio {

/// How the number of pictures in a shard follows the image size of its step. It is even, whatever
/// the rule: mixup pairs pictures.
enum class MultiScaleRule {
  /// Pixels stay level: as many pictures as have at most the pixels of a shard at the base size.
  kPixels,
  /// The sampler published with EdgeNeXt and CAS-ViT: the same for smaller pictures, but a shard
  /// never shrinks below its base, so that larger pictures take more memory.
  kPublished
};

/// Batches of several image sizes: the multiples of `divisor` from `min_size` to `max_size`.
struct MultiScaleOptions {
  MultiScaleRule rule = MultiScaleRule::kPixels;
  int min_size = 160;
  int max_size = 320;
  int divisor = 32;
};

struct ImageScale {
  int image_size = 0;
  std::int64_t shard_size = 0;

  bool operator==(const ImageScale&) const = default;
};

struct StepTableOptions {
  std::int64_t samples = 0;
  std::int64_t shards = 1;      ///< of the global batch
  std::int64_t shard_size = 1;  ///< at the base size
  int image_size = 224;         ///< the base size
  std::optional<MultiScaleOptions> multi_scale;
  std::int64_t epochs = 1;
  std::uint64_t seed = 0;
};

/// Every image size with its shard size, smallest picture first.
/// @throws UsageError where no size lies between the bounds.
std::vector<ImageScale> image_scales(const StepTableOptions& options);

/// What one optimisation step is made of, on every rank the same.
struct StepShape {
  std::int64_t epoch = 0;
  std::int64_t step_in_epoch = 0;
  std::int64_t first = 0;  ///< position of its first sample in the epoch's order
  int image_size = 0;
  std::int64_t shard_size = 0;

  bool operator==(const StepShape&) const = default;
};

/// Which steps a run is made of: where each stands in its epoch, how large its pictures are and how
/// many a shard has. A function of the options alone, so that the length of a run is known before
/// it starts, ranks need not ask each other, and any step can be resumed at. With several sizes
/// every step draws its size, keyed by (seed, epoch), among those whose batch still fits into the
/// epoch; an epoch ends when none does, and drops what is left.
class StepTable {
 public:
  StepTable() = default;
  /// Counts the steps of every epoch (with several sizes: some 20 ns a step).
  /// @throws UsageError where the data hold less than one batch.
  explicit StepTable(const StepTableOptions& options);

  std::int64_t total_steps() const { return first_step(options_.epochs); }
  std::int64_t steps_in_epoch(std::int64_t epoch) const;
  /// The run's number of an epoch's first step; of epoch `epochs`: how many steps there are.
  std::int64_t first_step(std::int64_t epoch) const;
  /// The epoch of a step in [0, total_steps()); of later steps: `epochs`.
  std::int64_t epoch_of(std::int64_t step) const;
  /// The steps of one epoch in their order.
  std::vector<StepShape> steps_of(std::int64_t epoch) const;

 private:
  bool is_uniform() const { return scales_.size() == 1; }

  StepTableOptions options_;
  std::vector<ImageScale> scales_;
  std::vector<std::int64_t> first_steps_;  ///< of several sizes: of every epoch, and the end
};

/// Walks through a table's steps, holding one epoch of them. For one thread.
class StepCursor {
 public:
  explicit StepCursor(StepTable table) : table_(std::move(table)) {}
  /// The shape of a step in [0, total_steps()).
  const StepShape& at(std::int64_t step);

 private:
  StepTable table_;
  std::int64_t epoch_ = -1;
  std::vector<StepShape> steps_;
};

}  // namespace casvit::dataio
