#include "dataio/image/decode.h"

#include <algorithm>
#include <string>

#include "dataio/image/codec.h"
#include "dataio/image/jpeg/region_decoder.h"

namespace casvit::dataio {
namespace {

constexpr std::uint8_t kJpegSignature[] = {0xFF, 0xD8, 0xFF};
constexpr std::uint8_t kPngSignature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr std::uint8_t kRiff[] = {'R', 'I', 'F', 'F'};
constexpr std::uint8_t kWebp[] = {'W', 'E', 'B', 'P'};

bool has(std::span<const std::uint8_t> bytes, std::size_t at,
         std::span<const std::uint8_t> expected) {
  return bytes.size() >= at + expected.size() &&
         std::equal(expected.begin(), expected.end(), bytes.begin() + static_cast<long>(at));
}

Codec require_codec(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) throw InputError("empty file");
  const auto codec = sniff_codec(bytes);
  if (!codec) throw InputError("not a JPEG, PNG or WebP picture");
  return *codec;
}

[[noreturn]] void refuse_raw() {
  throw InputError("raw RGB pixels say nothing of their size: they are not decoded from bytes");
}

}  // namespace

std::string_view codec_name(Codec codec) {
  switch (codec) {
    case Codec::kRawRgb:
      return "raw RGB";
    case Codec::kJpeg:
      return "JPEG";
    case Codec::kPng:
      return "PNG";
    case Codec::kWebp:
      return "WebP";
  }
  return "unknown";
}

std::optional<Codec> sniff_codec(std::span<const std::uint8_t> bytes) {
  if (has(bytes, 0, kJpegSignature)) return Codec::kJpeg;
  if (has(bytes, 0, kPngSignature)) return Codec::kPng;
  if (has(bytes, 0, kRiff) && has(bytes, 8, kWebp)) return Codec::kWebp;
  return std::nullopt;
}

void check_size(std::int64_t height, std::int64_t width, std::int64_t max_pixels) {
  if (height < 1 || width < 1) {
    throw InputError("the header gives a picture of " + std::to_string(width) + " x " +
                     std::to_string(height) + " pixels");
  }
  // Both fit 32 bits in every format, so the product cannot overflow.
  if (height * width > max_pixels) {
    throw InputError("the header gives " + std::to_string(width) + " x " + std::to_string(height) +
                     " pixels, more than the " + std::to_string(max_pixels) +
                     " allowed: a decompression bomb, or a picture to be made smaller first");
  }
  if (std::max(height, width) > kLongestSide) {
    throw InputError("the header gives " + std::to_string(width) + " x " + std::to_string(height) +
                     " pixels: no side may be longer than " + std::to_string(kLongestSide));
  }
}

void check_expected_size(int height, int width, int expected_height, int expected_width) {
  if (height == expected_height && width == expected_width) return;
  throw InputError("it is " + std::to_string(width) + " x " + std::to_string(height) +
                   " pixels, the index says " + std::to_string(expected_width) + " x " +
                   std::to_string(expected_height));
}

Image allocate_image(std::int64_t height, std::int64_t width, std::int64_t max_pixels) {
  check_size(height, width, max_pixels);
  Image image;
  image.height = static_cast<int>(height);
  image.width = static_cast<int>(width);
  image.pixels.resize(static_cast<std::size_t>(height * width) * 3);
  return image;
}

ImageHeader read_image_header(std::span<const std::uint8_t> bytes, std::int64_t max_pixels) {
  ImageHeader header;
  switch (require_codec(bytes)) {
    case Codec::kJpeg:
      header = read_jpeg_header(bytes);
      break;
    case Codec::kPng:
      header = read_png_header(bytes);
      break;
    case Codec::kWebp:
      header = read_webp_header(bytes);
      break;
    case Codec::kRawRgb:
      refuse_raw();
  }
  check_size(header.height, header.width, max_pixels);
  return header;
}

void check_image_structure(std::span<const std::uint8_t> bytes, std::int64_t max_pixels) {
  switch (read_image_header(bytes, max_pixels).codec) {
    case Codec::kJpeg:
      return check_jpeg_structure(bytes);
    case Codec::kPng:
      return check_png_structure(bytes);
    case Codec::kWebp:
      return check_webp_structure(bytes);
    case Codec::kRawRgb:
      refuse_raw();
  }
}

Image decode_image(std::span<const std::uint8_t> bytes, std::int64_t max_pixels) {
  switch (require_codec(bytes)) {
    case Codec::kJpeg:
      return decode_jpeg(bytes, max_pixels);
    case Codec::kPng:
      return decode_png(bytes, max_pixels);
    case Codec::kWebp:
      return decode_webp(bytes, max_pixels);
    case Codec::kRawRgb:
      refuse_raw();
  }
  refuse_raw();
}

DecodeScratch::DecodeScratch() = default;
DecodeScratch::~DecodeScratch() = default;

ImageView decode_region(std::span<const std::uint8_t> bytes, int height, int width,
                        const PixelBox& region, DecodeScratch& scratch) {
  check_size(height, width, kDefaultMaxPixels);
  // The region was chosen by a size read earlier, and another program may have changed it since.
  if (!region.is_inside(height, width)) throw InputError("its size changed while it was in use");
  if (has(bytes, 0, kJpegSignature)) {
    if (!scratch.jpeg) scratch.jpeg = std::make_unique<jpeg::RegionDecoder>();
    if (scratch.jpeg->open(bytes)) {
      check_expected_size(scratch.jpeg->height(), scratch.jpeg->width(), height, width);
      ImageView view;
      view.height = region.height;
      view.width = region.width;
      view.stride = static_cast<std::size_t>(region.width) * 3;
      const std::size_t wanted = static_cast<std::size_t>(region.height) * view.stride;
      if (scratch.pixels.size() < wanted) scratch.pixels.resize(wanted);
      view.pixels = scratch.pixels.data();
      if (scratch.jpeg->decode(region, scratch.pixels.data(), view.stride)) return view;
    }
  }
  scratch.image = decode_image(bytes);
  check_expected_size(scratch.image.height, scratch.image.width, height, width);
  return ImageView(scratch.image).crop(region.top, region.left, region.height, region.width);
}

}  // namespace casvit::dataio
