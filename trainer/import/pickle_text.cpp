#include "trainer/import/pickle_text.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace casvit::trainer {
namespace {

std::optional<std::uint32_t> number_at(std::string_view text, std::size_t begin, std::size_t digits,
                                       int base) {
  if (text.size() < begin || text.size() - begin < digits) return std::nullopt;
  const char* first = text.data() + begin;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(first, first + digits, value, base);
  if (error != std::errc() || end != first + digits) return std::nullopt;
  return value;
}

void append_utf8(std::string& text, std::uint32_t point) {
  if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) point = 0xFFFD;
  const auto put = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6);
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

std::optional<char> single_escape(char letter) {
  constexpr std::string_view kLetters = "\\'\"abfnrtv";
  constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
  const std::size_t place = kLetters.find(letter);
  if (place == std::string_view::npos) return std::nullopt;
  return kMeanings[place];
}

bool is_octal(char digit) { return digit >= '0' && digit <= '7'; }

}  // namespace

bool unquote(std::string_view literal, std::string& bytes) {
  if (literal.size() < 2 || literal.front() != literal.back() ||
      (literal.front() != '\'' && literal.front() != '"')) {
    return false;
  }
  const std::string_view text = literal.substr(1, literal.size() - 2);
  bytes.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    if (++i == text.size()) return false;
    if (const auto meaning = single_escape(text[i])) {
      bytes += *meaning;
    } else if (text[i] == 'x') {
      const auto value = number_at(text, i + 1, 2, 16);
      if (!value) return false;
      bytes += static_cast<char>(*value);
      i += 2;
    } else if (is_octal(text[i])) {
      std::uint32_t value = 0;
      const std::size_t end = i + 3;
      for (; i < end && i < text.size() && is_octal(text[i]); ++i) {
        value = value * 8 + static_cast<std::uint32_t>(text[i] - '0');
      }
      --i;
      bytes += static_cast<char>(value);
    } else {
      return false;
    }
  }
  return true;
}

std::string unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 'u' || text[i + 1] == 'U')) {
      const std::size_t digits = text[i + 1] == 'u' ? 4 : 8;
      if (const auto point = number_at(text, i + 2, digits, 16)) {
        append_utf8(result, *point);
        i += 1 + digits;
        continue;
      }
    }
    append_utf8(result, static_cast<unsigned char>(text[i]));
  }
  return result;
}

bool latin1_of(std::string_view text, std::string& bytes) {
  bytes.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      bytes += text[i];
    } else if ((first == 0xC2 || first == 0xC3) && i + 1 < text.size() &&
               (static_cast<unsigned char>(text[i + 1]) & 0xC0U) == 0x80) {
      ++i;
      bytes += static_cast<char>((first & 3U) << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU));
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace casvit::trainer
