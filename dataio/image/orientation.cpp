#include "dataio/image/orientation.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "dataio/image/codec.h"

namespace casvit::dataio {
namespace {

constexpr std::uint8_t kUpright = 1;
constexpr std::uint8_t kLargestOrientation = 8;
constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::size_t kTiffHeaderBytes = 8;
constexpr std::size_t kEntryBytes = 12;
constexpr std::array<std::uint8_t, 6> kExifPrefix{'E', 'x', 'i', 'f', 0, 0};

/// TIFF's integer types; signed ones are accepted as Pillow accepts them.
enum TiffType : std::uint32_t { kShort = 3, kLong = 4, kSignedShort = 8, kSignedLong = 9 };

/// Numbers of a TIFF block in its byte order, nothing where the block ends before them.
class TiffBytes {
 public:
  TiffBytes(std::span<const std::uint8_t> bytes, bool little_endian)
      : bytes_(bytes), little_endian_(little_endian) {}

  std::optional<std::uint32_t> read(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || bytes_.size() - at < size) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = value << 8 | bytes_[at + (little_endian_ ? size - 1 - i : i)];
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool little_endian_;
};

/// The first value of the directory entry at `at`; nothing for what is no integer.
std::optional<std::uint32_t> entry_value(const TiffBytes& tiff, std::size_t at) {
  const auto type = tiff.read(at + 2, 2);
  const auto count = tiff.read(at + 4, 4);
  if (!type || !count || *count == 0) return std::nullopt;
  const bool is_short = *type == kShort || *type == kSignedShort;
  if (!is_short && *type != kLong && *type != kSignedLong) return std::nullopt;
  const std::uint32_t size = is_short ? 2 : 4;
  if (*count <= 4 / size) return tiff.read(at + 8, size);
  const auto elsewhere = tiff.read(at + 8, 4);  // values that do not fit the entry
  if (!elsewhere || !tiff.read(*elsewhere + static_cast<std::size_t>(*count - 1) * size, size)) {
    return std::nullopt;
  }
  return tiff.read(*elsewhere, size);
}

std::vector<std::uint8_t> find_exif(std::span<const std::uint8_t> bytes) {
  try {
    switch (sniff_codec(bytes).value_or(Codec::kRawRgb)) {
      case Codec::kJpeg:
        return find_jpeg_exif(bytes);
      case Codec::kPng:
        return find_png_exif(bytes);
      case Codec::kWebp:
        return find_webp_exif(bytes);
      case Codec::kRawRgb:
        return {};
    }
  } catch (const InputError&) {
    // The structure is somebody else's to complain about: there is no orientation to be had.
  }
  return {};
}

}  // namespace

std::uint8_t parse_exif_orientation(std::span<const std::uint8_t> exif) {
  const auto has_prefix = [&exif] {
    return exif.size() >= kExifPrefix.size() &&
           std::equal(kExifPrefix.begin(), kExifPrefix.end(), exif.begin());
  };
  while (has_prefix()) exif = exif.subspan(kExifPrefix.size());
  if (exif.size() < kTiffHeaderBytes) return kUpright;
  const bool little = exif[0] == 'I' && exif[1] == 'I';
  const bool big = exif[0] == 'M' && exif[1] == 'M';
  const bool classic = (exif[2] == 0 && exif[3] == 42) || (exif[2] == 42 && exif[3] == 0);
  if ((!little && !big) || !classic) return kUpright;
  const TiffBytes tiff(exif, little);
  const std::size_t directory = tiff.read(4, 4).value_or(0);
  const std::uint32_t entries = tiff.read(directory, 2).value_or(0);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * kEntryBytes;
    if (!tiff.read(at + kEntryBytes - 4, 4)) break;  // the block ends inside the directory
    if (tiff.read(at, 2) != kOrientationTag) continue;
    const std::uint32_t value = entry_value(tiff, at).value_or(kUpright);
    const bool valid = value >= kUpright && value <= kLargestOrientation;
    return valid ? static_cast<std::uint8_t>(value) : kUpright;
  }
  return kUpright;
}

std::uint8_t read_orientation(std::span<const std::uint8_t> bytes) {
  return parse_exif_orientation(find_exif(bytes));
}

}  // namespace casvit::dataio
