#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace casvit::dataio::jpeg {

/// Reads bits, the first in the highest, from bytes without stuffing. Eight bytes beyond the ones
/// that matter must be readable; the caller checks now and then that it did not get far beyond.
struct BitReader {
  std::uint64_t buffer = 0;  ///< the next bits, from the top
  int count = 0;             ///< of them valid
  const std::uint8_t* next = nullptr;

  /// At least 56 bits are valid afterwards.
  void refill() {
    std::uint64_t word = 0;
    std::memcpy(&word, next, sizeof word);
    if constexpr (std::endian::native == std::endian::little) word = __builtin_bswap64(word);
    buffer |= word >> count;
    next += (63 - count) >> 3;
    count |= 56;
  }
  unsigned peek(int bits) const { return static_cast<unsigned>(buffer >> (64 - bits)); }
  void skip(int bits) {
    buffer <<= bits;
    count -= bits;
  }
  int take(int bits) {
    const auto result = static_cast<int>(peek(bits));
    skip(bits);
    return result;
  }
  /// The byte behind the last one of which a bit was used.
  const std::uint8_t* position() const { return next - count / 8; }
};

}  // namespace casvit::dataio::jpeg
