#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/pack/plan.h"

namespace casvit::dataio {

/// One line of a list of pictures.
struct ListEntry {
  std::uint64_t line = 0;  ///< in the file, from 1
  std::string path;
  std::string label;
  std::string part;  ///< empty where the list has no such column
};

/// Reads a list of pictures and labels: .csv (RFC 4180, quotes and all), .tsv, or .txt with tabs,
/// or with the label behind the last blank of a line. A first line whose columns are called path
/// (or file, filename, image, image_path, filepath) and label (or class, class_name, target) is a
/// header and gives the columns in any order, with split (or part, set, subset); otherwise they are
/// path, label and perhaps split. Empty lines, and lines that begin with # in .txt, are passed
/// over.
/// @throws InputError when the file cannot be read; UsageError naming the line that is wrong.
std::vector<ListEntry> read_label_list(const std::string& path);

/// The plan of such a list, in its order. Labels become classes as classes_of_labels says.
/// @param root folder that relative paths start from; empty: the list's own
/// @throws as above; UsageError for a path listed with two labels
PackPlan plan_from_list(const std::string& path, const std::string& root);

}  // namespace casvit::dataio
