#include "dataio/image/jpeg/baseline_header.h"

#include <algorithm>
#include <string_view>

namespace casvit::dataio::jpeg {
namespace {

using Segment = std::span<const std::uint8_t>;

/// A side of a frame that libjpeg takes (its JPEG_MAX_DIMENSION).
constexpr int kMostSamples = 65'500;

constexpr std::uint8_t kSof0 = 0xC0;  // baseline
constexpr std::uint8_t kSof1 = 0xC1;  // extended sequential, Huffman
constexpr std::uint8_t kDht = 0xC4;
constexpr std::uint8_t kSos = 0xDA;
constexpr std::uint8_t kDqt = 0xDB;
constexpr std::uint8_t kDri = 0xDD;
constexpr std::uint8_t kApp0 = 0xE0;
constexpr std::uint8_t kApp14 = 0xEE;
constexpr std::uint8_t kApp15 = 0xEF;
constexpr std::uint8_t kComment = 0xFE;

int word(Segment segment, std::size_t at) { return segment[at] << 8 | segment[at + 1]; }

bool begins_with(Segment segment, std::string_view letters) {
  return segment.size() >= letters.size() &&
         std::equal(letters.begin(), letters.end(), segment.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

/// What the application segments say of the colours.
struct ColourHints {
  bool jfif = false;
  bool adobe = false;
  int adobe_transform = 0;
};

bool read_quantization(Segment segment, BaselineHeader& header) {
  while (!segment.empty()) {
    const bool wide = segment[0] >> 4 == 1;
    const std::size_t number = segment[0] & 15;
    const std::size_t bytes = wide ? 129 : 65;
    if (segment[0] >> 4 > 1 || number > 3 || segment.size() < bytes) return false;
    for (std::size_t i = 0; i < 64; ++i) {
      const int value = wide ? word(segment, 1 + 2 * i) : segment[1 + i];
      header.quantization[number][kNaturalOrder[i]] = static_cast<std::uint16_t>(value);
    }
    header.has_quantization[number] = true;
    segment = segment.subspan(bytes);
  }
  return true;
}

bool read_huffman(Segment segment, BaselineHeader& header) {
  while (!segment.empty()) {
    const bool ac = segment[0] >> 4 == 1;
    const std::size_t number = segment[0] & 15;
    if (segment[0] >> 4 > 1 || number > 3 || segment.size() < 17) return false;
    std::size_t symbols = 0;
    for (std::size_t i = 1; i <= 16; ++i) symbols += segment[i];
    if (symbols > 256 || segment.size() < 17 + symbols) return false;
    (ac ? header.ac_definition : header.dc_definition)[number] = segment.subspan(1, 16 + symbols);
    segment = segment.subspan(17 + symbols);
  }
  return true;
}

bool read_frame(Segment segment, BaselineHeader& header) {
  if (header.components != 0 || segment.size() < 6 || segment[0] != 8) return false;
  header.height = word(segment, 1);
  header.width = word(segment, 3);
  const std::size_t components = segment[5];
  if (header.height == 0 || header.width == 0) return false;
  if (header.height > kMostSamples || header.width > kMostSamples) return false;
  if ((components != 1 && components != 3) || segment.size() != 6 + 3 * components) return false;
  header.components = static_cast<int>(components);
  for (std::size_t c = 0; c < components; ++c) {
    Component& component = header.component[c];
    component.id = segment[6 + 3 * c];
    component.horizontal = segment[7 + 3 * c] >> 4;
    component.vertical = segment[7 + 3 * c] & 15;
    component.quantization = segment[8 + 3 * c];
    const auto allowed = [](int factor) { return factor >= 1 && factor <= 4; };
    if (!allowed(component.horizontal) || !allowed(component.vertical)) return false;
    if (component.quantization > 3) return false;
  }
  return true;
}

/// The scan of all components, whole.
bool read_scan(Segment segment, BaselineHeader& header) {
  const auto components = static_cast<std::size_t>(header.components);
  if (components == 0 || segment.size() != 4 + 2 * components || segment[0] != components) {
    return false;
  }
  for (std::size_t c = 0; c < components; ++c) {
    Component& component = header.component[c];
    if (segment[1 + 2 * c] != component.id) return false;
    component.dc_table = segment[2 + 2 * c] >> 4;
    component.ac_table = segment[2 + 2 * c] & 15;
    if (component.dc_table > 3 || component.ac_table > 3) return false;
    if (header.dc_definition[static_cast<std::size_t>(component.dc_table)].empty()) return false;
    if (header.ac_definition[static_cast<std::size_t>(component.ac_table)].empty()) return false;
    if (!header.has_quantization[static_cast<std::size_t>(component.quantization)]) return false;
  }
  const Segment progression = segment.last(3);
  return progression[0] == 0 && progression[1] == 63 && progression[2] == 0;
}

/// Whether libjpeg takes the three components for YCbCr, and beyond doubt
/// (default_decompress_parms).
bool is_ycc(const BaselineHeader& header, const ColourHints& hints) {
  if (header.components == 1 || hints.jfif) return true;
  if (hints.adobe) return hints.adobe_transform == 1;
  return header.component[0].id == 1 && header.component[1].id == 2 && header.component[2].id == 3;
}

}  // namespace

bool read_baseline_header(std::span<const std::uint8_t> bytes, BaselineHeader& header) {
  header = {};
  ColourHints hints;
  std::size_t at = 2;  // behind SOI
  if (bytes.size() < 4 || bytes[0] != 0xFF || bytes[1] != 0xD8) return false;
  for (;;) {
    if (bytes.size() - at < 4 || bytes[at] != 0xFF) return false;
    while (bytes[at + 1] == 0xFF) {  // fill bytes
      if (bytes.size() - ++at < 4) return false;
    }
    const std::uint8_t marker = bytes[at + 1];
    const auto length = static_cast<std::size_t>(word(bytes, at + 2));
    if (length < 2 || bytes.size() - at - 2 < length) return false;
    const Segment segment = bytes.subspan(at + 4, length - 2);
    at += 2 + length;
    bool sound = true;
    if (marker == kSof0 || marker == kSof1) {
      sound = read_frame(segment, header);
    } else if (marker == kDqt) {
      sound = read_quantization(segment, header);
    } else if (marker == kDht) {
      sound = read_huffman(segment, header);
    } else if (marker == kDri) {
      sound = segment.size() == 2;
      if (sound) header.restart_interval = word(segment, 0);
    } else if (marker == kSos) {
      header.scan_begin = at;
      return read_scan(segment, header) && is_ycc(header, hints);
    } else if (marker == kApp0) {
      hints.jfif |= segment.size() >= 14 && begins_with(segment, std::string_view("JFIF\0", 5));
    } else if (marker == kApp14) {
      if (segment.size() >= 12 && begins_with(segment, "Adobe")) {
        hints.adobe = true;
        hints.adobe_transform = segment[11];
      }
    } else {
      sound = (marker > kApp0 && marker <= kApp15) || marker == kComment;
    }
    if (!sound) return false;
  }
}

}  // namespace casvit::dataio::jpeg
