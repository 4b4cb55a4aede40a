#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "trainer/config/value.h"

namespace casvit::trainer {
namespace {

template <typename Number>
std::string shortest(Number value) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

/// Words that some YAML reader takes for a truth value, a number or nothing.
bool means_something_else(std::string_view text) {
  constexpr std::array<std::string_view, 11> kWords{"y",    "n",     "yes",  "no",  "on", "off",
                                                    "true", "false", "null", "nan", "inf"};
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::ranges::find(kWords, lower) != kWords.end();
}

bool is_plain(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || !(letter(text[0]) || text[0] == '/' || text[0] == '_')) return false;
  const bool simple = std::ranges::all_of(text, [&](char c) {
    return letter(c) || digit(c) || c == '_' || c == '.' || c == '/' || c == '-' || c == '+';
  });
  return simple && !means_something_else(text);
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    } else {
      out += c;  // from 0x80 on as it is: file names need not be UTF-8
    }
  }
  return out + '"';
}

template <typename Container>
std::string print_list(const Container& values) {
  std::string out = "[";
  for (const auto& value : values) {
    if (out.size() > 1) out += ", ";
    out += print_value(value);
  }
  return out + "]";
}

}  // namespace

std::string print_value(const std::string& value) {
  return is_plain(value) ? value : quoted(value);
}
std::string print_value(bool value) { return value ? "true" : "false"; }
std::string print_value(int value) { return shortest(value); }
std::string print_value(std::int64_t value) { return shortest(value); }
std::string print_value(std::uint64_t value) { return shortest(value); }
std::string print_value(double value) { return shortest(value); }
std::string print_value(const std::vector<std::string>& value) { return print_list(value); }
std::string print_value(const std::optional<double>& value) {
  return value ? shortest(*value) : "null";
}
std::string print_value(const std::array<double, 2>& value) { return print_list(value); }

std::string print_value(const std::optional<std::array<double, 2>>& value) {
  return value ? print_list(*value) : "null";
}

std::string print_value(const std::optional<std::array<double, 3>>& value) {
  return value ? print_list(*value) : "null";
}

std::string print_field(const Field& field, const Config& config) {
  Config copy = config;  // members are reached through a mutable Config
  return std::visit([&](auto member) { return print_value(member(copy)); }, field.member);
}

}  // namespace casvit::trainer
