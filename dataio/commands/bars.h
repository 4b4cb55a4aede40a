#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace casvit::dataio {

/// Named counts as a table with bars, the longest for the greatest count:
///
///     Maize   30  ##############
///     Wheat   12  ######
///
/// @param shown more rows than this are left out, with a line that says how many.
std::string bars_text(const std::vector<std::pair<std::string, std::uint64_t>>& counts,
                      const std::string& indent, std::size_t shown);

}  // namespace casvit::dataio
