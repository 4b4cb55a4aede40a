#include "dataio/commands/bars.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "dataio/commands/table.h"

namespace casvit::dataio {
namespace {

constexpr double kBarWidth = 40;

std::string bar(std::uint64_t count, std::uint64_t greatest) {
  if (count == 0) return "";
  const double share = static_cast<double>(count) / static_cast<double>(greatest);
  return std::string(static_cast<std::size_t>(std::max(1.0, std::round(share * kBarWidth))), '#');
}

}  // namespace

std::string bars_text(const std::vector<std::pair<std::string, std::uint64_t>>& counts,
                      const std::string& indent, std::size_t shown) {
  std::uint64_t greatest = 1;
  for (const auto& [name, count] : counts) greatest = std::max(greatest, count);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < counts.size() && i < shown; ++i) {
    rows.push_back({indent + counts[i].first, std::to_string(counts[i].second)});
  }
  // The bars stand flush left behind the table, whose columns but the first are flush right.
  std::istringstream lines(table_text(rows));
  std::string text;
  std::size_t row = 0;
  for (std::string line; std::getline(lines, line); ++row) {
    text += line + "  " + bar(counts[row].second, greatest) + "\n";
  }
  if (counts.size() > shown) {
    text +=
        indent + "and " + std::to_string(counts.size() - shown) + " more; --json has them all\n";
  }
  return text;
}

}  // namespace casvit::dataio
