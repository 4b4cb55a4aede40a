#pragma once

#include "dataio/image/image.h"

namespace casvit::dataio {

enum class Interpolation { kBilinear, kBicubic };

/// A rectangle in pixels of the source; fractions are allowed as in Pillow's `box`.
struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
};

/// Antialiased resize of the part `box` of `source` to `[height, width, 3]`, equal bit for bit to
/// `Image.resize((width, height), BILINEAR | BICUBIC, box)` of Pillow 13.0.0 (8-bit fixed point).
/// As in Pillow the filter reaches beyond the box into its surroundings, and the horizontal pass
/// comes first unless the height shrinks by more than twice what the width does (older Pillows
/// always begin with the horizontal pass). Source: Pillow, src/libImaging/Resample.c.
/// @throws UsageError for a result without pixels or a box that is empty or not inside `source`.
void resize(const ImageView& source, const Box& box, int height, int width,
            Interpolation interpolation, Image& destination);

/// `resize` of the whole `source`.
void resize(const ImageView& source, int height, int width, Interpolation interpolation,
            Image& destination);

}  // namespace casvit::dataio
