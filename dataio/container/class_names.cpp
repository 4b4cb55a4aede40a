#include "dataio/container/class_names.h"

#include <algorithm>

#include "dataio/container/display.h"
#include "dataio/container/schema.h"
#include "dataio/container/utf8.h"

namespace casvit::dataio {
namespace {

constexpr std::size_t kShownBytes = 60;

}  // namespace

std::string class_names_problem(const std::vector<std::string>& names) {
  if (names.size() > schema::kMaxClasses) {
    return "there are " + std::to_string(names.size()) +
           " classes, and a container holds at most " + std::to_string(schema::kMaxClasses);
  }
  std::size_t width = 1;
  for (const std::string& name : names) {
    if (name.empty() || !is_utf8(name) || name.find('\0') != std::string::npos) {
      return "the class name '" + display_path(name.substr(0, schema::kMaxClassNameBytes)) +
             "' is not UTF-8, or empty; rename its folder or label";
    }
    width = std::max(width, name.size());
    if (width > schema::kMaxClassNameBytes) {
      return "the class name '" + display_path(name.substr(0, kShownBytes)) + "...' has " +
             std::to_string(width) + " bytes, and at most " +
             std::to_string(schema::kMaxClassNameBytes) + " are stored; shorten it";
    }
  }
  if (names.size() > schema::kMaxClassNamesBytes / width) {
    return std::to_string(names.size()) + " class names of up to " + std::to_string(width) +
           " bytes take more than " + std::to_string(schema::kMaxClassNamesBytes) +
           " bytes in a container; shorten the longest";
  }
  return "";
}

}  // namespace casvit::dataio
