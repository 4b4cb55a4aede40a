#include "dataio/commands/table.h"

#include <algorithm>
#include <cstddef>

namespace casvit::dataio {
namespace {

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // not a continuation byte
  }));
}

}  // namespace

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], characters(row[c]));
    }
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string blanks(widths[c] - characters(row[c]), ' ');
      if (c == 0) {
        text += row[c] + (row.size() > 1 ? blanks : "");
      } else {
        text += "  " + blanks + row[c];
      }
    }
    text += "\n";
  }
  return text;
}

}  // namespace casvit::dataio
