#include "trainer/config/rand_augment_format.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace casvit::trainer {
namespace {

struct Part {
  std::string_view name;
  bool whole;
  double low;
  double high;
};

constexpr std::array<Part, 7> kParts{{{"m", true, 0, 10},
                                      {"mstd", false, 0, 1000},
                                      {"mmax", true, 0, 1000},
                                      {"n", true, 1, 100},
                                      {"p", false, 0, 1},
                                      {"w", true, 0, 0},
                                      {"inc", true, 0, 1}}};

bool is_part(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_of("0123456789."), text.size());
  const auto part = std::ranges::find(kParts, text.substr(0, digits), &Part::name);
  if (part == kParts.end()) return false;
  const std::string_view number = text.substr(digits);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value,
                                            std::chars_format::fixed);
  if (error != std::errc() || end != number.data() + number.size()) return false;
  const bool whole = number.find('.') == std::string_view::npos;
  return value >= part->low && value <= part->high && (whole || !part->whole);
}

}  // namespace

bool is_rand_augment(std::string_view text) {
  if (text.empty()) return true;
  std::size_t dash = text.find('-');
  if (text.substr(0, dash) != "rand") return false;
  while (dash != std::string_view::npos) {
    const std::size_t start = dash + 1;
    dash = text.find('-', start);
    if (!is_part(text.substr(start, dash == std::string_view::npos ? dash : dash - start))) {
      return false;
    }
  }
  return true;
}

}  // namespace casvit::trainer
