#pragma once

#include <string>
#include <vector>

namespace casvit::dataio {

/// Rows of cells as text: the first column flush left, the others flush right, two blanks between.
/// Widths are counted in characters, not bytes, of UTF-8.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace casvit::dataio
