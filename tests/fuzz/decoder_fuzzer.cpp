// Arbitrary bytes as a picture, in every format: whatever they are, the functions of decode.h
// answer with a picture or an InputError, never with a crash, and agree with each other.
//
// A decoder of our own is reached through decode_image, as libjpeg is, and through decode_region,
// whose pixels must be those of the whole picture.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>

#include "dataio/error.h"
#include "dataio/image/decode.h"
#include "dataio/image/orientation.h"

namespace casvit::dataio {
namespace {

/// Small pictures are as good as large ones, and much faster.
constexpr std::int64_t kMaxPixels = 64 * 1024;

template <typename Function>
auto attempt(const Function& function) -> std::optional<decltype(function())> {
  try {
    return function();
  } catch (const InputError&) {
    return std::nullopt;
  }
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// A rectangle that the bytes themselves choose.
PixelBox region_of(const Image& image, std::span<const std::uint8_t> bytes) {
  const auto below = [&bytes](std::size_t from_end, int limit) {
    return static_cast<int>(bytes[bytes.size() - 1 - from_end]) % limit;
  };
  PixelBox box;
  box.top = below(5, image.height);
  box.left = below(6, image.width);
  box.height = 1 + below(7, image.height - box.top);
  box.width = 1 + below(8, image.width - box.left);
  return box;
}

void check_region(const Image& image, std::span<const std::uint8_t> bytes) {
  static DecodeScratch scratch;
  const PixelBox box = region_of(image, bytes);
  const auto part =
      attempt([&] { return decode_region(bytes, image.height, image.width, box, scratch); });
  require(part.has_value(), "a region of a picture that decodes can be decoded");
  require(part->height == box.height && part->width == box.width, "a region has its size");
  const ImageView expected = ImageView(image).crop(box.top, box.left, box.height, box.width);
  for (int y = 0; y < box.height; ++y) {
    require(
        std::memcmp(part->row(y), expected.row(y), static_cast<std::size_t>(box.width) * 3) == 0,
        "a region has the pixels of the whole picture");
  }
}

void check(std::span<const std::uint8_t> bytes) {
  const auto header = attempt([&] { return read_image_header(bytes, kMaxPixels); });
  const bool whole = attempt([&] {
                       check_image_structure(bytes, kMaxPixels);
                       return true;
                     }).has_value();
  const auto image = attempt([&] { return decode_image(bytes, kMaxPixels); });
  const int orientation = read_orientation(bytes);
  require(orientation >= 1 && orientation <= 8, "an orientation is 1 to 8");
  require(header || !whole, "a picture without a readable header is not whole");
  if (!image) return;
  require(header.has_value(), "a picture that decodes has a readable header");
  require(image->height == header->height && image->width == header->width,
          "a decoded picture has the size that its header gives");
  require(image->pixels.size() == image->row_bytes() * static_cast<std::size_t>(image->height),
          "a decoded picture has all its pixels");
  const auto again = attempt([&] { return decode_image(bytes, kMaxPixels); });
  require(again && again->pixels == image->pixels, "decoding twice gives the same pixels");
  check_region(*image, bytes);
}

}  // namespace
}  // namespace casvit::dataio

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  casvit::dataio::check({data, size});
  return 0;
}
