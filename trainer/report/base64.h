#pragma once

#include <string>
#include <string_view>

namespace casvit::trainer {

/// Base64 of any bytes (RFC 4648, padded).
std::string base64(std::string_view bytes);

/// The bytes that pairs of hexadecimal digits name.
std::string bytes_of_hexadecimal(std::string_view digits);

}  // namespace casvit::trainer
