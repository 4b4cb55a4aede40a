#pragma once

#include "dataio/image/image.h"

namespace casvit::dataio {

/// Turns the hue by `shift` of a full circle, in [-0.5, 0.5], in place: torchvision's adjust_hue of
/// a PIL image, equal bit for bit (through Pillow's 8-bit HSV, which loses a little even at shift
/// 0).
void adjust_hue(Image& image, double shift);

}  // namespace casvit::dataio
