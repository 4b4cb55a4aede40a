#pragma once

#include "dataio/image/image.h"

namespace casvit::dataio {

/// Mirrors left and right in place.
void flip_horizontally(Image& image);

/// Mirrors top and bottom in place.
void flip_vertically(Image& image);

}  // namespace casvit::dataio
