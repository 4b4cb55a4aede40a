// Arbitrary bytes as a picture, in every format: whatever they are, the functions of decode.h
// answer with a picture or an InputError, never with a crash, and agree with each other.
//
// A decoder of our own is reached through decode_region, whatever libjpeg (decode_image) thinks of
// the bytes; where both decode, the pixels must be the same. The transcoder of --baseline must keep
// them, too.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>

#include "dataio/error.h"
#include "dataio/image/decode.h"
#include "dataio/image/jpeg_encode.h"
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
PixelBox region_of(const ImageHeader& picture, std::span<const std::uint8_t> bytes) {
  const auto below = [&bytes](std::size_t from_end, int limit) {
    return static_cast<int>(bytes[bytes.size() - 1 - from_end]) % limit;
  };
  PixelBox box;
  box.top = below(5, picture.height);
  box.left = below(6, picture.width);
  box.height = 1 + below(7, picture.height - box.top);
  box.width = 1 + below(8, picture.width - box.left);
  return box;
}

bool are_same(const ImageView& a, const ImageView& b) {
  if (a.height != b.height || a.width != b.width) return false;
  for (int y = 0; y < a.height; ++y) {
    if (std::memcmp(a.row(y), b.row(y), static_cast<std::size_t>(a.width) * 3) != 0) return false;
  }
  return true;
}

/// @param image where decode_image gives one
void check_region(const ImageHeader& header, const PixelBox& box, const Image* image,
                  std::span<const std::uint8_t> bytes) {
  static DecodeScratch scratch;
  const auto part =
      attempt([&] { return decode_region(bytes, header.height, header.width, box, scratch); });
  if (part) require(part->height == box.height && part->width == box.width, "a region's size");
  if (image == nullptr) {
    const bool is_whole = box.height == header.height && box.width == header.width;
    require(!(part && is_whole), "what does not decode does not decode as a region either");
    return;
  }
  require(part.has_value(), "a region of a picture that decodes can be decoded");
  require(are_same(*part, ImageView(*image).crop(box.top, box.left, box.height, box.width)),
          "a region has the pixels of the whole picture");
}

void check_baseline(const Image* image, std::span<const std::uint8_t> bytes) {
  const auto transcoded = attempt([&] { return baseline_jpeg(bytes); });
  if (!transcoded || !*transcoded || image == nullptr) return;
  const auto again = attempt([&] { return decode_image(**transcoded, kMaxPixels); });
  require(again && are_same(*again, *image), "a baseline JPEG has the pixels of the original");
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
  require(header || !image, "a picture that decodes has a readable header");
  if (!header) return;
  const Image* decoded = image ? &*image : nullptr;
  if (image) {
    require(image->height == header->height && image->width == header->width,
            "a decoded picture has the size that its header gives");
    require(image->pixels.size() == image->row_bytes() * static_cast<std::size_t>(image->height),
            "a decoded picture has all its pixels");
    const auto again = attempt([&] { return decode_image(bytes, kMaxPixels); });
    require(again && again->pixels == image->pixels, "decoding twice gives the same pixels");
  }
  check_region(*header, {0, 0, header->height, header->width}, decoded, bytes);
  check_region(*header, region_of(*header, bytes), decoded, bytes);
  if (whole && header->codec == Codec::kJpeg) check_baseline(decoded, bytes);
}

}  // namespace
}  // namespace casvit::dataio

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  casvit::dataio::check({data, size});
  return 0;
}
