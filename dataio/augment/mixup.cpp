#include "dataio/augment/mixup.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "dataio/augment/mixup_draw.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw UsageError(what);
}

/// The shares of a sample and of its partner, in the roundings of timm's mode.
struct Shares {
  float own, partner;
};

Shares shares(const MixupUnit& unit, MixupMode mode) {
  const auto own = static_cast<float>(unit.lambda);
  if (mode == MixupMode::kBatch) return {own, static_cast<float>(1.0 - unit.lambda)};
  return {own, 1.0F - own};
}

/// The unit that decides about a sample.
const MixupUnit& unit_of(const std::vector<MixupUnit>& units, MixupMode mode, int sample,
                         int samples) {
  switch (mode) {
    case MixupMode::kBatch:
      return units[0];
    case MixupMode::kPair:
      return units[static_cast<std::size_t>(std::min(sample, samples - 1 - sample))];
    case MixupMode::kElem:
      break;
  }
  return units[static_cast<std::size_t>(sample)];
}

/// Mixes two partners, each by its own unit, from the values that both had before.
void blend_partners(std::span<float> first, std::span<float> second, const MixupUnit& for_first,
                    const MixupUnit& for_second, MixupMode mode) {
  const bool mixes_first = for_first.mixed && !for_first.cutmix;
  const bool mixes_second = for_second.mixed && !for_second.cutmix;
  if (!mixes_first && !mixes_second) return;
  const Shares a = mixes_first ? shares(for_first, mode) : Shares{1.0F, 0.0F};
  const Shares b = mixes_second ? shares(for_second, mode) : Shares{1.0F, 0.0F};
  for (std::size_t i = 0; i < first.size(); ++i) {
    const float x = first[i];
    const float y = second[i];
    first[i] = x * a.own + y * a.partner;
    second[i] = y * b.own + x * b.partner;
  }
}

/// Copies a box's pixels; `before` are the partner's, of which some may have been overwritten.
class BoxCopy {
 public:
  BoxCopy(std::span<const float> source, const CutmixBox& box, int size) : box_(box), size_(size) {
    const std::size_t width = static_cast<std::size_t>(box.right - box.left) * 3;
    pixels_.reserve(static_cast<std::size_t>(box.bottom - box.top) * width);
    for (int y = box.top; y < box.bottom; ++y) {
      const float* from = source.data() + offset(y);
      pixels_.insert(pixels_.end(), from, from + width);
    }
  }

  void paste(std::span<float> target) const {
    const std::size_t width = static_cast<std::size_t>(box_.right - box_.left) * 3;
    const float* from = pixels_.data();
    for (int y = box_.top; y < box_.bottom; ++y, from += width) {
      std::copy_n(from, width, target.data() + offset(y));
    }
  }

 private:
  std::size_t offset(int y) const {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(size_) +
            static_cast<std::size_t>(box_.left)) *
           3;
  }

  CutmixBox box_;
  int size_;
  std::vector<float> pixels_;
};

/// Mixes the pictures of two partners. Note "Both from the originals": timm mixes from a copy of
/// the batch. Here each pair is finished at once: boxes are taken out before anything is written,
/// and blending reads both values before it writes either.
void mix_pair(std::span<float> first, std::span<float> second, const MixupUnit& for_first,
              const MixupUnit& for_second, int size, MixupMode mode) {
  const bool cuts_first = for_first.mixed && for_first.cutmix;
  const bool cuts_second = for_second.mixed && for_second.cutmix;
  const CutmixBox nothing;
  const BoxCopy into_first(second, cuts_first ? for_first.box : nothing, size);
  const BoxCopy into_second(first, cuts_second ? for_second.box : nothing, size);
  blend_partners(first, second, for_first, for_second, mode);
  into_first.paste(first);
  into_second.paste(second);
}

void write_targets(std::span<const std::int32_t> labels, const MixupOptions& options,
                   const std::vector<MixupUnit>& units, std::span<float> targets) {
  const auto classes = static_cast<std::size_t>(options.num_classes);
  const double off_value = options.label_smoothing / options.num_classes;
  const auto off = static_cast<float>(off_value);
  const auto on = static_cast<float>(1.0 - options.label_smoothing + off_value);
  const int samples = static_cast<int>(labels.size());
  for (int i = 0; i < samples; ++i) {
    const MixupUnit& unit = unit_of(units, options.mode, i, samples);
    // Untouched samples have lambda 1: their targets come out as x * 1 + y * 0.
    const Shares share = shares(unit, options.mode);
    const std::int32_t own = labels[static_cast<std::size_t>(i)];
    const std::int32_t partner = labels[static_cast<std::size_t>(samples - 1 - i)];
    const auto value = [&](std::int32_t c) {
      return (c == own ? on : off) * share.own + (c == partner ? on : off) * share.partner;
    };
    float* row = targets.data() + static_cast<std::size_t>(i) * classes;
    std::fill_n(row, classes, value(-1));
    row[own] = value(own);
    row[partner] = value(partner);
  }
}

}  // namespace

void validate(const MixupOptions& options, int samples) {
  // Comparisons are written so that a NaN fails them.
  require(options.mixup_alpha >= 0 && std::isfinite(options.mixup_alpha),
          "mixup_alpha must not be negative: " + std::to_string(options.mixup_alpha));
  require(options.cutmix_alpha >= 0 && std::isfinite(options.cutmix_alpha),
          "cutmix_alpha must not be negative: " + std::to_string(options.cutmix_alpha));
  if (options.cutmix_minmax) {
    const auto& minmax = *options.cutmix_minmax;
    require(minmax[0] >= 0 && minmax[0] < minmax[1] && minmax[1] <= 1,
            "cutmix_minmax must be two shares of the side in [0, 1], the smaller first");
  }
  require(options.prob >= 0 && options.prob <= 1, "mixup's prob must be in [0, 1]");
  require(options.switch_prob >= 0 && options.switch_prob <= 1,
          "mixup's switch_prob must be in [0, 1]");
  require(options.label_smoothing >= 0 && options.label_smoothing < 1,
          "label_smoothing must be in [0, 1)");
  require(options.num_classes >= 1, "num_classes must be at least 1");
  if (options.enabled()) {
    require(samples % 2 == 0, "mixup mixes pairs: a shard of " + std::to_string(samples) +
                                  " samples is odd. Make batch.shard_size even or turn mixup off");
  }
}

void apply_mixup_draw(std::span<float> images, int samples, int size,
                      std::span<const std::int32_t> labels, const MixupOptions& options,
                      const std::vector<MixupUnit>& units, std::span<float> targets) {
  for (const std::int32_t label : labels) {
    require(label >= 0 && label < options.num_classes,
            "label " + std::to_string(label) + " is outside the " +
                std::to_string(options.num_classes) + " classes");
  }
  const std::size_t floats = images.size() / static_cast<std::size_t>(std::max(samples, 1));
  for (int i = 0; i < samples / 2; ++i) {
    const int j = samples - 1 - i;
    mix_pair(images.subspan(static_cast<std::size_t>(i) * floats, floats),
             images.subspan(static_cast<std::size_t>(j) * floats, floats),
             unit_of(units, options.mode, i, samples), unit_of(units, options.mode, j, samples),
             size, options.mode);
  }
  write_targets(labels, options, units, targets);
}

void apply_mixup(std::span<float> images, int samples, int size,
                 std::span<const std::int32_t> labels, const MixupOptions& options,
                 const MixupKey& key, std::span<float> targets) {
  std::vector<MixupUnit> units(static_cast<std::size_t>(std::max(samples, 1)));
  if (options.enabled()) {
    CounterRng rng(key.seed, RandomUse::kMixup, key.step, key.shard);
    units = draw_mixup(options, samples, size, rng);
  }
  apply_mixup_draw(images, samples, size, labels, options, units, targets);
}

}  // namespace casvit::dataio
