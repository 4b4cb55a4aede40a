#include "dataio/pack/labels.h"

#include <algorithm>

#include "dataio/container/schema.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

constexpr std::int64_t kMaxIndex = schema::kMaxClasses - 1;
constexpr std::size_t kMaxDigits = 9;  ///< more than kMaxIndex has

bool is_index(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

std::int32_t index_of(const std::string& text) {
  const std::size_t first = std::min(text.find_first_not_of('0'), text.size() - 1);
  const std::int64_t index =
      text.size() - first > kMaxDigits ? kMaxIndex + 1 : std::stol(text.substr(first));
  if (index > kMaxIndex) {
    throw UsageError("the class index " + text.substr(0, 40) + " is too large: at most " +
                     std::to_string(kMaxIndex));
  }
  return static_cast<std::int32_t>(index);
}

}  // namespace

LabelClasses classes_of_labels(const std::vector<std::string>& texts) {
  LabelClasses classes;
  classes.labels.reserve(texts.size());
  if (std::all_of(texts.begin(), texts.end(), is_index)) {
    std::int32_t largest = -1;
    for (const std::string& text : texts) {
      classes.labels.push_back(index_of(text));
      largest = std::max(largest, classes.labels.back());
    }
    for (std::int32_t i = 0; i <= largest; ++i) classes.names.push_back(std::to_string(i));
    return classes;
  }
  classes.names = texts;
  std::sort(classes.names.begin(), classes.names.end());
  classes.names.erase(std::unique(classes.names.begin(), classes.names.end()), classes.names.end());
  for (const std::string& text : texts) {
    const auto at = std::lower_bound(classes.names.begin(), classes.names.end(), text);
    classes.labels.push_back(static_cast<std::int32_t>(at - classes.names.begin()));
  }
  return classes;
}

}  // namespace casvit::dataio
