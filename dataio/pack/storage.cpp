#include "dataio/pack/storage.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dataio/error.h"
#include "dataio/image/jpeg_encode.h"
#include "dataio/image/orientation.h"
#include "dataio/image/resize.h"

namespace casvit::dataio {
namespace {

/// As torchvision's Resize with one number: the short side becomes `size`, the long one is cut to
/// whole pixels.
Image with_short_side(const Image& image, int size) {
  const auto [small, large] = std::minmax(image.height, image.width);
  if (small == size) return image;
  const int other = static_cast<int>(static_cast<std::int64_t>(size) * large / small);
  const bool tall = image.height > image.width;
  Image result;
  resize(image, tall ? other : size, tall ? size : other, Interpolation::kBicubic, result);
  return result;
}

void append_raw(const Image& image, int size, std::vector<std::uint8_t>& stored) {
  const Image scaled = with_short_side(image, size);
  // torchvision's CenterCrop: halves are rounded to even.
  const int top = static_cast<int>(std::nearbyint((scaled.height - size) / 2.0));
  const int left = static_cast<int>(std::nearbyint((scaled.width - size) / 2.0));
  for (int y = 0; y < size; ++y) {
    const std::uint8_t* row = scaled.row(top + y) + static_cast<std::size_t>(left) * 3;
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
    const auto transcoded = baseline_jpeg(source);
    stored.insert(stored.end(), transcoded.begin(), transcoded.end());
    return describe(header.height, header.width, Codec::kJpeg);
  }
  stored.insert(stored.end(), source.begin(), source.end());
  describe(header.height, header.width, header.codec);
}

}  // namespace casvit::dataio
