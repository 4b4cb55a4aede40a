#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace casvit::trainer {

/// Well-formed UTF-8: every byte that is none becomes U+FFFD. File names may be any bytes.
std::string sanitize_utf8(std::string_view bytes);

/// Unicode code points of well-formed UTF-8.
int code_points(std::string_view text);

/// For HTML and XML text and attributes: sanitised, & < > " ' escaped, control characters (which
/// XML cannot hold) and overrides of the text's direction replaced too.
std::string escape_html(std::string_view bytes);

/// A field of a CSV file (RFC 4180): quoted where it holds a comma, a quote or a line break, or
/// begins or ends with a space. Bytes stay as they are.
std::string csv_field(std::string_view bytes);

/// The shortest decimal that reads back as this number; "nan", "inf", "-inf" otherwise.
std::string shortest(double value);
/// The same for a float, also for readers that read a double first and round it to a float.
std::string shortest(float value);

/// What `printf` would print.
template <typename... Arguments>
std::string formatted(const char* pattern, Arguments... arguments) {
  const int length = std::snprintf(nullptr, 0, pattern, arguments...);
  std::string text(static_cast<std::size_t>(length), '\0');
  std::snprintf(text.data(), text.size() + 1, pattern, arguments...);
  return text;
}

/// `printf`'s %.*f.
std::string fixed(double value, int digits);

/// 1234567 as "1,234,567".
std::string grouped(long long value);

}  // namespace casvit::trainer
