#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "dataio/image/image.h"

namespace casvit::dataio {

/// How a sample's bytes are encoded; the values are those stored in `/images/codec`.
enum class Codec : std::uint8_t { kRawRgb = 0, kJpeg = 1, kPng = 2, kWebp = 3 };

std::string_view codec_name(Codec codec);

/// The codec that the first bytes announce, whatever the file is called; nullopt for anything else.
std::optional<Codec> sniff_codec(std::span<const std::uint8_t> bytes);

struct ImageHeader {
  Codec codec = Codec::kJpeg;
  int height = 0;  ///< pixels
  int width = 0;   ///< pixels
};

/// Pictures with more pixels than this are refused from their header (Pillow's
/// MAX_IMAGE_PIXELS is 89 million; beyond twice that Pillow refuses, as we do).
inline constexpr std::int64_t kDefaultMaxPixels = 178'956'970;

/// Nor a longer side than this, pixels: what resizing needs besides the picture grows with its
/// sides.
inline constexpr int kLongestSide = 65'535;

/// Reads size and codec without decoding.
/// @throws InputError "not a JPEG, PNG or WebP picture", truncated header, too many pixels.
ImageHeader read_image_header(std::span<const std::uint8_t> bytes,
                              std::int64_t max_pixels = kDefaultMaxPixels);

/// Checks what can be checked without decoding: header, chunk and segment structure, checksums
/// (PNG), end marker. Bytes after the end marker are allowed, as in every decoder.
/// @throws InputError naming the defect (the caller adds the file).
void check_image_structure(std::span<const std::uint8_t> bytes,
                           std::int64_t max_pixels = kDefaultMaxPixels);

/// Decodes to RGB, equal bit for bit to `Image.open(f).convert("RGB")` of Pillow 13.0.0. JPEG:
/// ISLOW DCT, fancy upsampling, grey, CMYK and YCCK (taken for inverted, as Adobe writes them).
/// PNG: every colour type and depth, interlaced or not; alpha and tRNS are dropped, 16-bit colour
/// keeps its high bytes, 16-bit grey saturates (Pillow's I;16: every level above 255 is white).
/// WebP: lossy, lossless, the first frame of an animation. Orientation tags and colour profiles are
/// not applied. Stricter than Pillow: whatever libjpeg warns of as corrupt data, a missing end
/// marker and a wrong checksum are errors.
/// @throws InputError on corrupt or truncated data: a partly decoded picture is never returned.
Image decode_image(std::span<const std::uint8_t> bytes,
                   std::int64_t max_pixels = kDefaultMaxPixels);

namespace jpeg {
class RegionDecoder;
}

/// Working memory of decode_region, reused from picture to picture. One a thread.
struct DecodeScratch {
  DecodeScratch();
  ~DecodeScratch();
  DecodeScratch(const DecodeScratch&) = delete;
  DecodeScratch& operator=(const DecodeScratch&) = delete;

  std::unique_ptr<jpeg::RegionDecoder> jpeg;
  std::vector<std::uint8_t> pixels;  ///< of a region
  Image image;                       ///< whole, where a codec knows no regions
  Image turned;                      ///< upright, where that is asked for
};

/// The rectangle `region` of a picture that is said to be `height` x `width` pixels: the same
/// pixels as of decode_image. Of a baseline JPEG only those are decoded, by a decoder of our own,
/// and what lies behind the rectangle's last row is not looked at: a defect there is no error
/// (decode_image and `casvit-pack verify --decode` find it). Other pictures are decoded whole.
/// @returns a view of `scratch`, valid until its next use
/// @throws InputError as decode_image, and for a picture of another size
ImageView decode_region(std::span<const std::uint8_t> bytes, int height, int width,
                        const PixelBox& region, DecodeScratch& scratch);

}  // namespace casvit::dataio
