#pragma once

#include <vector>

#include "dataio/augment/mixup.h"
#include "dataio/random/counter_rng.h"

namespace casvit::dataio {

/// The rectangle that CutMix takes from the partner: rows [top, bottom), columns [left, right).
struct CutmixBox {
  int top = 0, bottom = 0, left = 0, right = 0;

  bool operator==(const CutmixBox&) const = default;
};

/// What happens to one unit: the whole shard, a pair or one sample, as the mode says. In the modes
/// pair and elem timm computes in float32; then `lambda` holds a float32 value.
struct MixupUnit {
  double lambda = 1;    ///< share of the sample itself, corrected for the box's area; 1: untouched
  bool cutmix = false;  ///< the box decides which pixels, lambda only the targets
  bool mixed = false;   ///< false where nothing is mixed
  CutmixBox box;
};

/// How many units a shard has: 1, samples / 2 or samples.
int mixup_units(MixupMode mode, int samples);

/// timm's rand_bbox: a square box of the area that lambda leaves, centred at (y, x), cut off at the
/// borders. `single` computes its side in float32, as timm does in the modes pair and elem.
CutmixBox cutmix_box(int size, double lambda, int y, int x, bool single);

/// Lambda once the box is known: 1 - its share of the area, where that applies.
double corrected_lambda(double lambda, const CutmixBox& box, int size, const MixupOptions& options);

/// Draws every unit of a shard of `samples` pictures of `size` pixels a side.
std::vector<MixupUnit> draw_mixup(const MixupOptions& options, int samples, int size,
                                  CounterRng& rng);

/// Mixes and writes targets as drawn; arguments as apply_mixup. Arithmetic of timm.data.mixup: in
/// mode batch 1 - lambda is rounded from float64, otherwise it is computed in float32.
void apply_mixup_draw(std::span<float> images, int samples, int size,
                      std::span<const std::int32_t> labels, const MixupOptions& options,
                      const std::vector<MixupUnit>& units, std::span<float> targets);

}  // namespace casvit::dataio
