#pragma once

#include "dataio/augment/transform.h"
#include "dataio/image/image.h"

namespace casvit::dataio {

struct Mirror {
  bool horizontally = false;
  bool vertically = false;
};

/// (x / 255 - mean) / std in float32, equal to torchvision's ToTensor and Normalize bit for bit,
/// and mirrored on the way. @param out `[height, width, 3]`
void normalize(const ImageView& image, const Normalization& normalization, Mirror mirror,
               float* out);

}  // namespace casvit::dataio
