#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace casvit::dataio {

enum class MixupMode { kBatch, kPair, kElem };

/// timm.data.mixup.Mixup's parameters, with its names and meanings.
struct MixupOptions {
  double mixup_alpha = 0.0;
  double cutmix_alpha = 0.0;
  std::optional<std::array<double, 2>> cutmix_minmax;  ///< overrides cutmix_alpha
  double prob = 1.0;
  double switch_prob = 0.5;
  MixupMode mode = MixupMode::kBatch;
  bool correct_lam = true;
  double label_smoothing = 0.1;
  int num_classes = 1000;

  bool enabled() const {
    return prob > 0 && (mixup_alpha > 0 || cutmix_alpha > 0 || cutmix_minmax.has_value());
  }
};

/// Names the randomness of one shard of one optimisation step.
struct MixupKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint64_t shard = 0;
};

/// @throws UsageError for values that cannot be, and for an odd `samples` where mixup is enabled.
void validate(const MixupOptions& options, int samples);

/// Mixes a shard in place (partner of sample i: samples - 1 - i) and writes its soft targets; with
/// mixup off only the smoothed one-hot targets are written.
/// @param images  `[samples, size, size, 3] float32`, NHWC, normalised
/// @param labels  class of each sample, in [0, num_classes)
/// @param targets `[samples, num_classes] float32`
void apply_mixup(std::span<float> images, int samples, int size,
                 std::span<const std::int32_t> labels, const MixupOptions& options,
                 const MixupKey& key, std::span<float> targets);

}  // namespace casvit::dataio
