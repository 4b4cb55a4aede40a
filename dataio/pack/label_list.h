#pragma once

#include <string>

#include "dataio/pack/plan.h"

namespace casvit::dataio {

/// The plan of a list of pictures and labels, in its order: .csv (RFC 4180, quotes and all), .tsv,
/// or .txt with tabs, or with the label behind the last blank of a line. A first line whose columns
/// are called path (or file, filename, image, image_path, filepath) and label (or class,
/// class_name, target) is a header and gives the columns in any order, with split (or part, set,
/// subset); otherwise they are path, label and perhaps split. Empty lines, and lines that begin
/// with # in .txt, are passed over. Labels become classes as classes_of_labels says.
/// @param root folder that relative paths start from; empty: the list's own
/// @throws InputError when the file cannot be read; UsageError naming the line that is wrong, and
///         both for a path that is listed twice.
PackPlan plan_from_list(const std::string& path, const std::string& root,
                        const OnListed& on_listed = nullptr);

}  // namespace casvit::dataio
