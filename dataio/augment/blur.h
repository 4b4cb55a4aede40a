#pragma once

#include "dataio/image/image.h"

namespace casvit::dataio {

/// Pillow's ImageFilter.GaussianBlur(radius), in place and equal bit for bit: three passes of an
/// extended box blur a direction (Gwosdek et al., "Theoretical foundations of Gaussian convolution
/// by extended box filtering", 2011). @param radius standard deviation, pixels.
void gaussian_blur(Image& image, double radius);

}  // namespace casvit::dataio
