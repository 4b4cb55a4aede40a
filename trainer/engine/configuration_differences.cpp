#include "trainer/engine/configuration_differences.h"

#include <algorithm>
#include <cstddef>

#include "trainer/config/config.h"

namespace casvit::trainer {
namespace {

constexpr std::size_t kLinesShown = 8;

}  // namespace

std::string configuration_differences(const std::vector<std::string>& yamls,
                                      const std::vector<int>& others) {
  std::size_t right = 0;
  while (std::ranges::find(others, static_cast<int>(right)) != others.end()) ++right;
  const Config usual = parse_config(yamls.at(right), "rank " + std::to_string(right), {});
  std::vector<std::string> lines;
  for (const int rank : others) {
    const std::string name = "rank " + std::to_string(rank);
    const Config its = parse_config(yamls.at(static_cast<std::size_t>(rank)), name, {});
    for (const std::string& line : differences(usual, its)) {
      lines.emplace_back("\n  ");
      lines.back().append(name).append(": ").append(line);
    }
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), kLinesShown); ++i) text += lines[i];
  if (lines.size() > kLinesShown) {
    text += "\n  and " + std::to_string(lines.size() - kLinesShown) + " more";
  }
  return text;
}

}  // namespace casvit::trainer
