#pragma once

#include "dataio/image/image.h"

namespace casvit::dataio {

/// Pillow's ImageEnhance, in place and equal bit for bit: `image` is blended with a degenerate
/// version of itself. Factor 1 leaves the picture as it is, 0 gives the degenerate one, and factors
/// beyond extrapolate.
void adjust_brightness(Image& image, double factor);  ///< degenerate: black
void adjust_contrast(Image& image, double factor);    ///< degenerate: its mean grey
void adjust_saturation(Image& image, double factor);  ///< degenerate: its grey version
void adjust_sharpness(Image& image, double factor);   ///< degenerate: smoothed (3x3)

}  // namespace casvit::dataio
