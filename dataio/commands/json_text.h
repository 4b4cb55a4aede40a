#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace casvit::dataio {

/// JSON for standard output and reports, indented, ending in a line feed. Bytes that are not UTF-8
/// (file names may hold any) are shown as U+FFFD instead of failing.
inline std::string json_text(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace casvit::dataio
