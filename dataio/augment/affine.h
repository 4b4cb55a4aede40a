#pragma once

#include <array>
#include <cstdint>

#include "dataio/image/image.h"
#include "dataio/image/resize.h"

namespace casvit::dataio {

using Colour = std::array<std::uint8_t, 3>;

/// (a, b, c, d, e, f): pixel (x, y) of the result is taken from (a x + b y + c, d x + e y + f).
using AffineMatrix = std::array<double, 6>;

/// Pillow's `image.transform(image.size, AFFINE, matrix, interpolation, fillcolor=fill)`, equal bit
/// for bit: interpolation from 2x2 or 4x4 neighbours, no antialiasing, `fill` outside.
Image transform_affine(const Image& image, const AffineMatrix& matrix, Interpolation interpolation,
                       Colour fill);

/// The same on any processor; what the vectorised form is tested against.
Image transform_affine_portable(const Image& image, const AffineMatrix& matrix,
                                Interpolation interpolation, Colour fill);

/// Pillow's `image.rotate(degrees, interpolation, fillcolor=fill)`: counter-clockwise about the
/// centre, the size kept.
Image rotate(const Image& image, double degrees, Interpolation interpolation, Colour fill);

}  // namespace casvit::dataio
