#pragma once

#include <string_view>

namespace casvit::trainer {

/// The pages' style sheet (page.css) and the report's script (page.js), byte for byte.
std::string_view page_style();
std::string_view page_script();

/// SHA-256 of the script, 64 hexadecimal digits.
std::string_view page_script_sha256();

/// The same of the gallery of predictions: its style beyond that of all pages, and its script.
std::string_view gallery_style();
std::string_view gallery_script();
std::string_view gallery_script_sha256();

}  // namespace casvit::trainer
