#include "dataio/container/display.h"

#include <cstddef>

namespace casvit::dataio {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string hash_text(std::uint64_t hash) {
  std::string text(16, '0');
  for (std::size_t i = 0; i < 16; ++i) text[15 - i] = kDigits[(hash >> (4 * i)) & 15];
  return text;
}

std::string display_path(std::string_view path) {
  std::string text;
  for (const char character : path) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f) {
      text += "\\x";
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    } else {
      text += character;
    }
  }
  return text;
}

}  // namespace casvit::dataio
