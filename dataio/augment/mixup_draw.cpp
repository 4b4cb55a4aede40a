#include "dataio/augment/mixup_draw.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "dataio/error.h"

namespace casvit::dataio {
namespace {

int draw_between(int low, int high, CounterRng& rng) {
  return low + static_cast<int>(rng.below(static_cast<std::uint64_t>(high - low)));
}

/// timm's rand_bbox_minmax: each side a share of the picture's between the two bounds.
CutmixBox draw_minmax_box(int size, const std::array<double, 2>& minmax, CounterRng& rng) {
  const int low = static_cast<int>(size * minmax[0]);
  const int high = static_cast<int>(size * minmax[1]);
  if (low >= high) {
    throw UsageError("cutmix_minmax leaves no side to choose for pictures of " +
                     std::to_string(size) + " pixels: move its bounds apart");
  }
  const int cut_height = draw_between(low, high, rng);
  const int cut_width = draw_between(low, high, rng);
  const int top = draw_between(0, size - cut_height + 1, rng);
  const int left = draw_between(0, size - cut_width + 1, rng);
  return {top, top + cut_height, left, left + cut_width};
}

}  // namespace

int mixup_units(MixupMode mode, int samples) {
  switch (mode) {
    case MixupMode::kBatch:
      return 1;
    case MixupMode::kPair:
      return samples / 2;
    case MixupMode::kElem:
      return samples;
  }
  return 0;
}

CutmixBox cutmix_box(int size, double lambda, int y, int x, bool single) {
  const auto whole = static_cast<float>(size);
  const int cut = single ? static_cast<int>(whole * std::sqrt(1.0F - static_cast<float>(lambda)))
                         : static_cast<int>(size * std::sqrt(1.0 - lambda));
  return {std::clamp(y - cut / 2, 0, size), std::clamp(y + (cut + 1) / 2, 0, size),
          std::clamp(x - cut / 2, 0, size), std::clamp(x + (cut + 1) / 2, 0, size)};
}

double corrected_lambda(double lambda, const CutmixBox& box, int size,
                        const MixupOptions& options) {
  if (!options.correct_lam && !options.cutmix_minmax) return lambda;
  const std::int64_t area =
      static_cast<std::int64_t>(box.bottom - box.top) * (box.right - box.left);
  return 1.0 - static_cast<double>(area) / (static_cast<double>(size) * size);
}

std::vector<MixupUnit> draw_mixup(const MixupOptions& options, int samples, int size,
                                  CounterRng& rng) {
  const bool single = options.mode != MixupMode::kBatch;
  // timm: with bounds for the box, lambda is drawn from Beta(1, 1) and then overridden by its area.
  const double cutmix_alpha = options.cutmix_minmax ? 1.0 : options.cutmix_alpha;
  std::vector<MixupUnit> units(static_cast<std::size_t>(mixup_units(options.mode, samples)));
  for (MixupUnit& unit : units) {
    if (rng.uniform() >= options.prob) continue;
    unit.cutmix =
        cutmix_alpha > 0 && (options.mixup_alpha <= 0 || rng.uniform() < options.switch_prob);
    const double alpha = unit.cutmix ? cutmix_alpha : options.mixup_alpha;
    unit.lambda = rng.beta(alpha, alpha);
    if (single) unit.lambda = static_cast<float>(unit.lambda);
    unit.mixed = unit.lambda != 1.0;
    if (!unit.mixed || !unit.cutmix) continue;
    if (options.cutmix_minmax) {
      unit.box = draw_minmax_box(size, *options.cutmix_minmax, rng);
    } else {
      const int y = draw_between(0, size, rng);
      unit.box = cutmix_box(size, unit.lambda, y, draw_between(0, size, rng), single);
    }
    unit.lambda = corrected_lambda(unit.lambda, unit.box, size, options);
    if (single) unit.lambda = static_cast<float>(unit.lambda);
  }
  return units;
}

}  // namespace casvit::dataio
