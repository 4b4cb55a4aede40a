#include <algorithm>
#include <array>
#include <cstring>

#include "dataio/image/codec.h"
#include "dataio/image/jpeg_encode.h"

namespace casvit::dataio {
namespace {

constexpr std::uint8_t kSof0 = 0xC0;  ///< baseline
constexpr std::uint8_t kSof1 = 0xC1;  ///< sequential, Huffman
constexpr std::uint8_t kSoi = 0xD8;
constexpr std::uint8_t kEoi = 0xD9;
constexpr std::uint8_t kSos = 0xDA;
constexpr std::uint8_t kTem = 0x01;
constexpr std::uint8_t kApp1 = 0xE1;
constexpr std::array<std::uint8_t, 6> kExifPrefix{'E', 'x', 'i', 'f', 0, 0};

bool is_restart(std::uint8_t marker) { return marker >= 0xD0 && marker <= 0xD7; }

/// What applications add: APP0 to APP15, and comments.
bool is_addition(std::uint8_t marker) {
  return (marker >= 0xE0 && marker <= 0xEF) || marker == 0xFE;
}

/// SOF0 to SOF15, which the markers DHT, JPG and DAC stand among.
bool is_frame_header(std::uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Walks the markers of a JPEG (ITU-T T.81, Annex B).
class MarkerReader {
 public:
  explicit MarkerReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  /// The next marker's code; `segment()` is then what it carries.
  std::uint8_t next() {
    if (at_ >= bytes_.size()) throw InputError("truncated JPEG: it ends before its end marker");
    if (bytes_[at_] != 0xFF) throw InputError("corrupt JPEG: no marker where one must be");
    while (at_ < bytes_.size() && bytes_[at_] == 0xFF) ++at_;
    if (at_ >= bytes_.size()) throw InputError("truncated JPEG: it ends inside a marker");
    const std::uint8_t marker = bytes_[at_++];
    segment_ = {};
    if (marker != kSoi && marker != kEoi && marker != kTem && !is_restart(marker)) {
      read_segment(marker);
    }
    return marker;
  }

  std::span<const std::uint8_t> segment() const { return segment_; }

  /// Skips a scan's entropy-coded data: up to the next marker that is no restart.
  void skip_scan() {
    for (;;) {
      const auto* from = bytes_.data() + at_;
      const auto* hit =
          static_cast<const std::uint8_t*>(std::memchr(from, 0xFF, bytes_.size() - at_));
      if (hit == nullptr || hit + 1 == bytes_.data() + bytes_.size()) {
        throw InputError("truncated JPEG: its picture data end before its end marker");
      }
      at_ = static_cast<std::size_t>(hit - bytes_.data());
      const std::uint8_t code = hit[1];
      if (code == 0xFF) {
        ++at_;
      } else if (code == 0 || is_restart(code)) {
        at_ += 2;
      } else {
        return;
      }
    }
  }

 private:
  void read_segment(std::uint8_t marker) {
    if (bytes_.size() - at_ < 2) throw InputError("truncated JPEG: it ends inside a marker");
    std::size_t length = static_cast<std::size_t>(bytes_[at_]) << 8 | bytes_[at_ + 1];
    // The length counts itself. Of what they skip, libjpeg and Pillow take less for nothing.
    if (length < 2 && is_addition(marker)) length = 2;
    if (length < 2) throw InputError("corrupt JPEG: a segment shorter than its own length field");
    if (bytes_.size() - at_ < length) throw InputError("truncated JPEG: it ends inside a segment");
    segment_ = bytes_.subspan(at_ + 2, length - 2);
    at_ += length;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  std::span<const std::uint8_t> segment_;
};

ImageHeader parse_frame_header(std::span<const std::uint8_t> segment) {
  if (segment.size() < 6) throw InputError("corrupt JPEG: its frame header is too short");
  ImageHeader header;
  header.codec = Codec::kJpeg;
  header.height = segment[1] << 8 | segment[2];
  header.width = segment[3] << 8 | segment[4];
  return header;
}

}  // namespace

ImageHeader read_jpeg_header(std::span<const std::uint8_t> bytes) {
  MarkerReader reader(bytes);
  for (;;) {
    const std::uint8_t marker = reader.next();
    if (is_frame_header(marker)) return parse_frame_header(reader.segment());
    if (marker == kSos || marker == kEoi) throw InputError("corrupt JPEG: no frame header");
  }
}

void check_jpeg_structure(std::span<const std::uint8_t> bytes) {
  MarkerReader reader(bytes);
  bool has_frame = false;
  bool has_scan = false;
  for (;;) {
    const std::uint8_t marker = reader.next();
    has_frame |= is_frame_header(marker);
    if (marker == kSos) {
      has_scan = true;
      reader.skip_scan();
    } else if (marker == kEoi) {
      break;
    }
  }
  if (!has_frame || !has_scan) throw InputError("corrupt JPEG: it has no picture data");
}

bool needs_baseline(std::span<const std::uint8_t> bytes) {
  MarkerReader reader(bytes);
  for (;;) {
    const std::uint8_t marker = reader.next();
    if (is_frame_header(marker)) return marker != kSof0 && marker != kSof1;
    if (marker == kSos || marker == kEoi) return false;
  }
}

std::vector<std::uint8_t> find_jpeg_exif(std::span<const std::uint8_t> bytes) {
  MarkerReader reader(bytes);
  std::vector<std::uint8_t> exif;
  for (;;) {
    const std::uint8_t marker = reader.next();
    if (marker == kSos || marker == kEoi) return exif;
    const auto segment = reader.segment();
    if (marker != kApp1 || segment.size() < kExifPrefix.size() ||
        !std::equal(kExifPrefix.begin(), kExifPrefix.end(), segment.begin())) {
      continue;
    }
    const auto block = segment.subspan(kExifPrefix.size());
    exif.insert(exif.end(), block.begin(), block.end());
  }
}

}  // namespace casvit::dataio
