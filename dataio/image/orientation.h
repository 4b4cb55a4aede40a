#pragma once

#include <cstdint>
#include <span>

namespace casvit::dataio {

/// The orientation that a camera noted in a JPEG, PNG or WebP picture: EXIF tag 0x0112, 1 to 8; 1
/// where there is none, or none that can be understood. Equal to what Pillow 13.0.0's
/// `getexif()` finds in EXIF (XMP, which it also asks, is not read). Never throws for what the
/// bytes are: an unreadable note is no reason to refuse a picture.
///
/// The value n means: the stored rows and columns show the scene's 1 top, left; 2 top, right
/// (mirrored); 3 bottom, right; 4 bottom, left; 5 left, top; 6 right, top (turn by 90 degrees
/// clockwise to see it upright); 7 right, bottom; 8 left, bottom.
std::uint8_t read_orientation(std::span<const std::uint8_t> bytes);

/// The orientation in a block of EXIF (a TIFF header and its first directory); 1 as above.
std::uint8_t parse_exif_orientation(std::span<const std::uint8_t> exif);

}  // namespace casvit::dataio
