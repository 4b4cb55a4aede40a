#include "trainer/report/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace casvit::trainer {
namespace {

/// Bytes of the well-formed UTF-8 sequence at the start of `bytes`, 0 where there is none
/// (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t sequence_length(std::string_view bytes) {
  const auto at = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  const auto in = [](unsigned value, unsigned low, unsigned high) {
    return value >= low && value <= high;
  };
  const auto continuation = [&](std::size_t i) { return in(at(i), 0x80, 0xbf); };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (in(first, 0xc2, 0xdf)) return continuation(1) ? 2 : 0;
  if (in(first, 0xe0, 0xef)) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : 0xbf;
    return in(at(1), low, high) && continuation(2) ? 3 : 0;
  }
  if (in(first, 0xf0, 0xf4)) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    return in(at(1), low, high) && continuation(2) && continuation(3) ? 4 : 0;
  }
  return 0;
}

template <typename Number>
std::string to_text(Number value) {
  std::array<char, 64> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

/// Without U+202A to U+202E and U+2066 to U+2069, which turn the text after them around, and so can
/// make a name look like another. Letters of right-to-left scripts need none of them.
std::string without_direction_overrides(std::string text) {
  for (std::size_t at = text.find("\xe2\x80"); at != std::string::npos;
       at = text.find("\xe2\x80", at + 3)) {
    if (text[at + 2] >= '\xaa' && text[at + 2] <= '\xae') text.replace(at, 3, kReplacement);
  }
  for (std::size_t at = text.find("\xe2\x81"); at != std::string::npos;
       at = text.find("\xe2\x81", at + 3)) {
    if (text[at + 2] >= '\xa6' && text[at + 2] <= '\xa9') text.replace(at, 3, kReplacement);
  }
  return text;
}

}  // namespace

std::string sanitize_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    out += length == 0 ? kReplacement : bytes.substr(0, length);
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

int code_points(std::string_view text) {
  int count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1 : 0;
  return count;
}

std::string escape_html(std::string_view bytes) {
  std::string out;
  for (const char c : without_direction_overrides(sanitize_utf8(bytes))) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) {
          out += kReplacement;
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string csv_field(std::string_view bytes) {
  const bool spaces = !bytes.empty() && (bytes.front() == ' ' || bytes.back() == ' ');
  if (!spaces && bytes.find_first_of(",\"\r\n") == std::string_view::npos) {
    return std::string(bytes);
  }
  std::string out = "\"";
  for (const char c : bytes) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string shortest(double value) { return to_text(value); }

std::string shortest(float value) {
  std::string text = to_text(value);
  // Rounding twice (decimal to double to float) can miss a float by one unit; then say more.
  if (std::isfinite(value) && static_cast<float>(std::strtod(text.c_str(), nullptr)) != value) {
    text = to_text(static_cast<double>(value));
  }
  return text;
}

std::string fixed(double value, int digits) {
  std::array<char, 400> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string grouped(long long value) {
  const std::string digits = std::to_string(value);
  const std::size_t sign = value < 0 ? 1 : 0;
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > sign && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

}  // namespace casvit::trainer
