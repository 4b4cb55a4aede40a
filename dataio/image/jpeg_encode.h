#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataio/image/image.h"

namespace casvit::dataio {

/// A baseline JPEG of an RGB picture of at most 65500 pixels a side: libjpeg's accurate DCT and
/// default 4:2:0 subsampling, optimised Huffman tables.
/// @param quality 1 to 100. @throws InputError for a picture that JPEG cannot hold.
std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality);

/// Whether a JPEG is progressive or arithmetic-coded. The bytes hold a JPEG of sound structure.
bool needs_baseline(std::span<const std::uint8_t> bytes);

/// The JPEG with the same coefficients, coded sequentially with optimised Huffman tables: it
/// decodes to the same pixels. Application and comment markers are kept. As `jpegtran -copy all
/// -optimize`.
/// @returns nothing for a progressive JPEG that ends before its coefficients are complete: decoders
///          smooth such a picture, which a baseline JPEG cannot ask for
/// @throws InputError on corrupt data
std::optional<std::vector<std::uint8_t>> baseline_jpeg(std::span<const std::uint8_t> bytes);

}  // namespace casvit::dataio
