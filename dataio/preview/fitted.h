#pragma once

#include "dataio/image/image.h"

namespace casvit::dataio {

/// The picture itself, or shrunk to fit into a square of `side` pixels.
Image fitted(const Image& picture, int side);

}  // namespace casvit::dataio
