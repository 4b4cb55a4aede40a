#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace casvit::dataio {

/// Classes made from labels that are written as text.
struct LabelClasses {
  std::vector<std::string> names;
  std::vector<std::int32_t> labels;  ///< of each text, an index into `names`
};

/// Where every text is a whole number from 0 on, these are class indices: class i is named by its
/// number, and there are as many classes as the largest number asks for. Otherwise the texts are
/// names, sorted by their bytes.
/// @throws UsageError for an index of more classes than a container can have (schema::kMaxClasses)
LabelClasses classes_of_labels(const std::vector<std::string>& texts);

}  // namespace casvit::dataio
