#pragma once

#include "dataio/image/image.h"

namespace casvit::dataio {

/// The picture as its camera meant it to be seen: what Pillow's ImageOps.exif_transpose makes of a
/// picture with this EXIF orientation (2 and 4 mirror, 3 turns by half, 5 and 7 mirror along a
/// diagonal, 6 and 8 turn by a quarter). Height and width change places from 5 on.
/// @param orientation 1 to 8
Image upright(const ImageView& stored, int orientation);

/// Whether height and width change places.
bool is_transposed(int orientation);

/// Where the pixels of a rectangle of the upright picture lie in the stored one: upright() of that
/// part is the rectangle.
PixelBox stored_box(const PixelBox& box, int stored_height, int stored_width, int orientation);

}  // namespace casvit::dataio
