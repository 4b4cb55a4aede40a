#include "tests/trainer/model/hashed_values.h"

#include <cstdint>

namespace casvit::trainer::golden {
namespace {

std::uint32_t crc32(const std::string& text) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
    }
  }
  return ~crc;
}

std::uint32_t hash(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  return x ^ (x >> 16);
}

}  // namespace

double hashed_uniform(const std::string& name, std::size_t i) {
  return hash(static_cast<std::uint32_t>(i) + crc32(name)) / 4294967296.0;
}

}  // namespace casvit::trainer::golden
