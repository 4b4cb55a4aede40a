#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataio/error.h"
#include "dataio/image/decode.h"
#include "dataio/image/image.h"

namespace casvit::dataio {

/// What decode.h does, for each codec: one file a codec implements its three. All throw InputError.
/// The bytes start with the codec's signature.
ImageHeader read_jpeg_header(std::span<const std::uint8_t> bytes);
void check_jpeg_structure(std::span<const std::uint8_t> bytes);
Image decode_jpeg(std::span<const std::uint8_t> bytes, std::int64_t max_pixels);

ImageHeader read_png_header(std::span<const std::uint8_t> bytes);
void check_png_structure(std::span<const std::uint8_t> bytes);
Image decode_png(std::span<const std::uint8_t> bytes, std::int64_t max_pixels);

ImageHeader read_webp_header(std::span<const std::uint8_t> bytes);
void check_webp_structure(std::span<const std::uint8_t> bytes);
Image decode_webp(std::span<const std::uint8_t> bytes, std::int64_t max_pixels);

/// The block of EXIF in a picture, empty where there is none. Several Exif segments of a JPEG are
/// one block in pieces, as Pillow takes them.
std::vector<std::uint8_t> find_jpeg_exif(std::span<const std::uint8_t> bytes);
std::vector<std::uint8_t> find_png_exif(std::span<const std::uint8_t> bytes);
std::vector<std::uint8_t> find_webp_exif(std::span<const std::uint8_t> bytes);

/// Refuses a picture without pixels, with more than `max_pixels` or with a side longer than
/// kLongestSide, before anything is allocated.
/// @throws InputError
void check_size(std::int64_t height, std::int64_t width, std::int64_t max_pixels);

/// Refuses a picture whose size is not the expected one. @throws InputError
void check_expected_size(int height, int width, int expected_height, int expected_width);

/// An image of this size, its pixels zero.
/// @throws InputError as check_size.
Image allocate_image(std::int64_t height, std::int64_t width, std::int64_t max_pixels);

}  // namespace casvit::dataio
