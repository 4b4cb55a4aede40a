#pragma once

#include <string_view>

namespace casvit::trainer {

/// The page's style sheet (page.css) and script (page.js), byte for byte.
std::string_view page_style();
std::string_view page_script();

/// SHA-256 of the script, 64 hexadecimal digits.
std::string_view page_script_sha256();

}  // namespace casvit::trainer
