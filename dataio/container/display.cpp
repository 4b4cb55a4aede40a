#include "dataio/container/display.h"

#include <cstddef>

#include "dataio/container/utf8.h"

namespace casvit::dataio {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kMostLetterBytes = 4;

/// Of the first letter, 1 where the bytes are not UTF-8.
std::size_t letter_bytes(std::string_view text) {
  for (std::size_t length = 1; length <= kMostLetterBytes && length <= text.size(); ++length) {
    if (is_utf8(text.substr(0, length))) return length;
  }
  return 1;
}

/// C0, DEL, and C1 (U+0080 to U+009F), also as the single bytes that they are in Latin-1.
bool is_control(std::string_view letter) {
  const auto last = static_cast<unsigned char>(letter.back());
  if (letter.size() == 1) return last < 0x20 || (last >= 0x7f && last < 0xa0);
  return letter.size() == 2 && letter[0] == '\xc2' && last < 0xa0;
}

void append_escaped(std::string& text, unsigned char byte) {
  text += "\\x";
  text += kDigits[byte >> 4];
  text += kDigits[byte & 15];
}

}  // namespace

std::string hash_text(std::uint64_t hash) {
  std::string text(16, '0');
  for (std::size_t i = 0; i < 16; ++i) text[15 - i] = kDigits[(hash >> (4 * i)) & 15];
  return text;
}

std::string display_path(std::string_view path) {
  std::string text;
  while (!path.empty()) {
    const std::size_t length = letter_bytes(path);
    const std::string_view letter = path.substr(0, length);
    if (is_control(letter)) {
      for (const char byte : letter) append_escaped(text, static_cast<unsigned char>(byte));
    } else {
      text += letter;
    }
    path.remove_prefix(length);
  }
  return text;
}

}  // namespace casvit::dataio
