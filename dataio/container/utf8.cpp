#include "dataio/container/utf8.h"

#include <cstddef>
#include <cstdint>

namespace casvit::dataio {
namespace {

/// How many bytes follow this first byte, or -1 where none can start a character.
int continuation_bytes(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xc2 && first <= 0xdf) return 1;
  if (first >= 0xe0 && first <= 0xef) return 2;
  if (first >= 0xf0 && first <= 0xf4) return 3;
  return -1;
}

/// The second byte's range is narrower after four first bytes: overlong forms, surrogates, the end.
bool second_fits(unsigned char first, unsigned char second) {
  if (first == 0xe0) return second >= 0xa0;
  if (first == 0xed) return second <= 0x9f;
  if (first == 0xf0) return second >= 0x90;
  if (first == 0xf4) return second <= 0x8f;
  return true;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const int following = continuation_bytes(first);
    if (following < 0 || text.size() - i <= static_cast<std::size_t>(following)) return false;
    for (int k = 1; k <= following; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]);
      if (byte < 0x80 || byte > 0xbf) return false;
      if (k == 1 && !second_fits(first, byte)) return false;
    }
    i += static_cast<std::size_t>(following) + 1;
  }
  return true;
}

}  // namespace casvit::dataio
