#include "dataio/pack/storage.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dataio/error.h"
#include "dataio/image/jpeg_encode.h"
#include "dataio/image/orientation.h"
#include "dataio/image/resampler.h"
#include "dataio/image/resize.h"

namespace casvit::dataio {
namespace {

struct Sides {
  int height, width;
};

/// As torchvision's Resize with one number: the short side becomes `size`, the long one is cut to
/// whole pixels.
Sides sides_with_short_side(const Image& image, int size) {
  const auto [small, large] = std::minmax(image.height, image.width);
  const int other = static_cast<int>(static_cast<std::int64_t>(size) * large / small);
  return image.height > image.width ? Sides{other, size} : Sides{size, other};
}

Image with_short_side(const Image& image, int size) {
  const Sides sides = sides_with_short_side(image, size);
  Image result;
  resize(image, sides.height, sides.width, Interpolation::kBicubic, result);
  return result;
}

/// The centre of the picture with its short side of `size` pixels. Only that is made: the whole of
/// a long and thin picture may be beyond any memory.
void append_raw(const Image& image, int size, std::vector<std::uint8_t>& stored) {
  const Sides scaled = sides_with_short_side(image, size);
  ResizePlan plan =
      whole_resize(image.height, image.width, scaled.height, scaled.width, Interpolation::kBicubic);
  // torchvision's CenterCrop: halves are rounded to even.
  plan.wanted = {static_cast<int>(std::nearbyint((scaled.height - size) / 2.0)),
                 static_cast<int>(std::nearbyint((scaled.width - size) / 2.0)), size, size};
  Resampler resampler;
  const PixelBox needed = resampler.plan(plan);
  resampler.begin(ImageView(image).crop(needed.top, needed.left, needed.height, needed.width));
  for (int y = 0; y < size; ++y) {
    const std::uint8_t* row = resampler.row(y);
    stored.insert(stored.end(), row, row + static_cast<std::size_t>(size) * 3);
  }
}

void describe_stored(std::span<const std::uint8_t> stored, int height, int width, Codec codec,
                     SampleRecord& record) {
  if (stored.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError("larger than 4 GiB");
  }
  record.length = static_cast<std::uint32_t>(stored.size());
  record.height = static_cast<std::uint32_t>(height);
  record.width = static_cast<std::uint32_t>(width);
  record.codec = codec;
  record.xxh3 = XXH3_64bits(stored.data(), stored.size());
  if (static_cast<std::int64_t>(height) * width > kDefaultMaxPixels) {
    record.length = 0;
    throw InputError(std::to_string(width) + " x " + std::to_string(height) +
                     " pixels are more than the " + std::to_string(kDefaultMaxPixels) +
                     " that training reads: make it smaller with --resize or --raw");
  }
}

}  // namespace

void inspect_picture(std::span<const std::uint8_t> bytes, const StorageOptions& options,
                     SampleRecord& record) {
  if (bytes.empty()) throw InputError("empty file (0 bytes)");
  const ImageHeader header = read_image_header(bytes, options.max_pixels);
  check_image_structure(bytes, options.max_pixels);
  record.orientation = read_orientation(bytes);
  describe_stored(bytes, header.height, header.width, header.codec, record);
}

void store_picture(std::span<const std::uint8_t> source, const StorageOptions& options,
                   std::vector<std::uint8_t>& stored, SampleRecord& record) {
  const std::size_t at = stored.size();
  const ImageHeader header = read_image_header(source, options.max_pixels);
  check_image_structure(source, options.max_pixels);
  record.orientation = read_orientation(source);
  const auto describe = [&](int height, int width, Codec codec) {
    describe_stored(std::span(stored).subspan(at), height, width, codec, record);
  };
  if (options.raw > 0) {
    append_raw(decode_image(source, options.max_pixels), options.raw, stored);
    return describe(options.raw, options.raw, Codec::kRawRgb);
  }
  const bool too_large =
      options.resize > 0 && std::min(header.height, header.width) > options.resize;
  if (too_large || (options.resize == 0 && options.quality > 0)) {
    const Image image = decode_image(source, options.max_pixels);
    const Image scaled = too_large ? with_short_side(image, options.resize) : image;
    const int quality = options.quality > 0 ? options.quality : kDefaultQuality;
    const auto encoded = encode_jpeg(scaled, quality);
    stored.insert(stored.end(), encoded.begin(), encoded.end());
    return describe(scaled.height, scaled.width, Codec::kJpeg);
  }
  if (options.baseline && header.codec == Codec::kJpeg && needs_baseline(source)) {
    if (const auto transcoded = baseline_jpeg(source)) {
      stored.insert(stored.end(), transcoded->begin(), transcoded->end());
      return describe(header.height, header.width, Codec::kJpeg);
    }
  }
  stored.insert(stored.end(), source.begin(), source.end());
  describe(header.height, header.width, header.codec);
}

}  // namespace casvit::dataio
