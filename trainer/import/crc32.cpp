#include "trainer/import/crc32.h"

#include <array>

namespace casvit::trainer {
namespace {

constexpr std::size_t kSlices = 8;
using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

/// Table k holds what a byte does to the sum k bytes later.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1U) != 0 ? 0xEDB88320U : 0U);
    }
    tables[0][byte] = value;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xFFU];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32(std::uint32_t crc, const void* bytes, std::size_t count) {
  const auto* next = static_cast<const unsigned char*>(bytes);
  crc = ~crc;
  for (; count >= kSlices; count -= kSlices, next += kSlices) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < kSlices; ++i) {
      const std::uint32_t mixed = i < 4 ? (crc >> (8 * i)) & 0xFFU : 0U;
      sum ^= kTables[kSlices - 1 - i][next[i] ^ mixed];
    }
    crc = sum;
  }
  for (; count > 0; --count, ++next) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ *next) & 0xFFU];
  }
  return ~crc;
}

}  // namespace casvit::trainer
