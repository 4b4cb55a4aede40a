#pragma once

#include <array>
#include <cstdint>

namespace casvit::dataio {

/// A letter of five columns and nine rows, two of them below the baseline; bit 4 is the left
/// column.
struct Glyph {
  static constexpr int kWidth = 5;
  static constexpr int kHeight = 9;
  std::array<std::uint8_t, kHeight> rows;
};

/// The glyph of a printable ASCII character; a filled box for any other byte.
const Glyph& glyph_of(char character);

}  // namespace casvit::dataio
