#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace casvit::dataio {

/// 16 lower-case hex digits.
std::string hash_text(std::uint64_t hash);

/// A path for a message or a terminal: control characters (C0, DEL, C1) become `\xNN`, everything
/// else stays.
std::string display_path(std::string_view path);

}  // namespace casvit::dataio
