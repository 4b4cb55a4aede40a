#include "dataio/preview/lettering.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <sstream>
#include <vector>

#include "dataio/container/utf8.h"
#include "dataio/preview/bitmap_font.h"

namespace casvit::dataio {
namespace {

constexpr int kLetterGap = 1;
constexpr int kLineGap = 2;
constexpr std::size_t kLatinFirst = 0xc0;

/// From U+00C0 (Latin-1) to U+017F (Latin Extended-A).
constexpr const char* kLatin =
    "A A A A A A AE C E E E E I I I I D N O O O O O x O U U U U Y Th ss "
    "a a a a a a ae c e e e e i i i i d n o o o o o / o u u u u y th y "
    "A a A a A a C c C c C c C c D d D d E e E e E e E e E e G g G g G g G g H h H h "
    "I i I i I i I i I i IJ ij J j K k k L l L l L l L l L l N n N n N n n NG ng "
    "O o O o O o OE oe R r R r R r S s S s S s S s T t T t T t U u U u U u U u U u U u "
    "W w Y y Y Z z Z z Z z s";

const std::vector<std::string>& latin_letters() {
  static const std::vector<std::string> kLetters = [] {
    std::istringstream words(kLatin);
    std::vector<std::string> letters;
    for (std::string word; words >> word;) letters.push_back(word);
    return letters;
  }();
  return kLetters;
}

struct Punctuation {
  char32_t code_point;
  const char* plain;
};

constexpr std::array<Punctuation, 9> kPunctuation{{{0xa0, " "},
                                                   {0x2010, "-"},
                                                   {0x2011, "-"},
                                                   {0x2013, "-"},
                                                   {0x2014, "-"},
                                                   {0x2018, "'"},
                                                   {0x2019, "'"},
                                                   {0x201c, "\""},
                                                   {0x201d, "\""}}};

template <typename Value>
std::string named(const char* pattern, Value value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), pattern, static_cast<unsigned>(value));
  return text.data();
}

std::string plain(char32_t code_point) {
  if (code_point >= ' ' && code_point < 0x7f) return {static_cast<char>(code_point)};
  const std::vector<std::string>& latin = latin_letters();
  if (code_point >= kLatinFirst && code_point - kLatinFirst < latin.size()) {
    return latin[code_point - kLatinFirst];
  }
  for (const Punctuation& entry : kPunctuation) {
    if (entry.code_point == code_point) return entry.plain;
  }
  return named("<U+%04X>", code_point);
}

/// How many bytes the character has that begins well-formed UTF-8; 0 where there is none.
std::size_t character_bytes(std::string_view text) {
  for (std::size_t bytes = 1; bytes <= 4 && bytes <= text.size(); ++bytes) {
    if (is_utf8(text.substr(0, bytes))) return bytes;
  }
  return 0;
}

char32_t decode_character(std::string_view bytes) {
  constexpr std::array<unsigned char, 5> kFirstMask{0, 0x7f, 0x1f, 0x0f, 0x07};
  char32_t code_point = static_cast<unsigned char>(bytes[0]) & kFirstMask[bytes.size()];
  for (const char byte : bytes.substr(1)) {
    code_point = code_point << 6U | (static_cast<unsigned char>(byte) & 0x3fU);
  }
  return code_point;
}

void fill_square(Image& image, int x, int y, int side, Colour colour) {
  for (int row = y; row < y + side; ++row) {
    for (int column = x; column < x + side; ++column) {
      if (row < 0 || row >= image.height || column < 0 || column >= image.width) continue;
      std::uint8_t* pixel = image.row(row) + static_cast<std::ptrdiff_t>(column) * 3;
      std::copy(colour.begin(), colour.end(), pixel);
    }
  }
}

}  // namespace

std::string plain_letters(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    if (bytes == 0) {
      result += named("<%02X>", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
    } else {
      result += plain(decode_character(text.substr(0, bytes)));
      text.remove_prefix(bytes);
    }
  }
  return result;
}

int text_width(std::string_view text, int scale) {
  return static_cast<int>(text.size()) * (Glyph::kWidth + kLetterGap) * scale;
}

int line_height(int scale) { return (Glyph::kHeight + kLineGap) * scale; }

std::string fit_text(const std::string& text, int width, int scale) {
  if (text_width(text, scale) <= width) return text;
  constexpr std::string_view kDots = "...";
  const auto letters = static_cast<std::size_t>(width / text_width("x", scale));
  if (letters <= kDots.size()) return text.substr(0, letters);
  return text.substr(0, letters - kDots.size()).append(kDots);
}

void draw_text(Image& image, int x, int y, std::string_view text, Colour colour, int scale) {
  for (const char character : text) {
    const Glyph& glyph = glyph_of(character);
    for (int row = 0; row < Glyph::kHeight; ++row) {
      for (int column = 0; column < Glyph::kWidth; ++column) {
        const unsigned bits = glyph.rows[static_cast<std::size_t>(row)];
        if ((bits >> (Glyph::kWidth - 1 - column) & 1U) == 0) continue;
        fill_square(image, x + column * scale, y + row * scale, scale, colour);
      }
    }
    x += text_width("x", scale);
  }
}

}  // namespace casvit::dataio
