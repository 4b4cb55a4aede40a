#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace casvit::dataio::jpeg {

struct Component {
  int id = 0;
  int horizontal = 1;  ///< sampling factors
  int vertical = 1;
  int quantization = 0;  ///< number of its table
  int dc_table = 0;
  int ac_table = 0;
};

/// A Huffman-coded sequential JPEG of 8 bits, grey or YCbCr, in one scan: what nearly all
/// photographs are.
struct BaselineHeader {
  int height = 0;
  int width = 0;
  int components = 0;  ///< 1 or 3
  std::array<Component, 3> component;
  std::array<std::array<std::uint16_t, 64>, 4> quantization{};  ///< in natural order
  std::array<bool, 4> has_quantization{};
  std::array<std::span<const std::uint8_t>, 4> dc_definition;  ///< of Huffman tables, in the file
  std::array<std::span<const std::uint8_t>, 4> ac_definition;
  int restart_interval = 0;  ///< MCUs, 0: none
  std::size_t scan_begin = 0;
};

/// Natural position of the coefficient at each place of the zigzag order.
inline constexpr std::array<std::uint8_t, 64> kNaturalOrder = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/// Reads up to the first scan. @returns false for everything that is not plainly such a JPEG, be it
/// of another kind or broken: it is left to libjpeg, which knows all kinds and names what is
/// broken.
bool read_baseline_header(std::span<const std::uint8_t> bytes, BaselineHeader& header);

}  // namespace casvit::dataio::jpeg
