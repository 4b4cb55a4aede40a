#pragma once

#include <array>
#include <optional>

#include "dataio/augment/transform.h"
#include "dataio/image/image.h"
#include "dataio/random/counter_rng.h"

namespace casvit::dataio {

/// What one ColorJitter does (torchvision.transforms.ColorJitter on PIL images).
struct ColorJitterDraw {
  /// Order of application: 0 brightness, 1 contrast, 2 saturation, 3 hue.
  std::array<int, 4> order{0, 1, 2, 3};
  std::optional<double> brightness;  ///< factors; empty: off
  std::optional<double> contrast;
  std::optional<double> saturation;
  std::optional<double> hue;  ///< shift
};

/// Draws a random order, and factors from the ranges that `options` give.
ColorJitterDraw draw_color_jitter(const TrainTransformOptions& options, CounterRng& rng);

/// Applies a draw in place, equal bit for bit to torchvision with the same order and factors.
void apply_color_jitter(Image& image, const ColorJitterDraw& draw);

}  // namespace casvit::dataio
