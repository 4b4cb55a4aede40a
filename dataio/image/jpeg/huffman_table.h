#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace casvit::dataio::jpeg {

/// Bits that one lookup resolves: a code and, where they fit, the bits of the number behind it.
inline constexpr int kLookupBits = 10;

/// What the next kLookupBits bits begin with.
struct Entry {
  std::uint8_t bits;   ///< used up: by code and number, or by the code alone if `special`
  std::uint8_t run;    ///< zeros before the coefficient (AC)
  std::int16_t value;  ///< the number, or a Special
};

/// Entries that are no finished number have a `bits` with this flag, and in `value` the size of the
/// number that follows the code (1 to 15) or one of these.
inline constexpr std::uint8_t kSpecial = 0x40;
inline constexpr std::int16_t kLongCode = -1;      ///< the code is longer than the lookup, or none
inline constexpr std::int16_t kEndOfBlock = 0;     ///< AC: only zeros follow
inline constexpr std::int16_t kSixteenZeros = 16;  ///< AC: 16 zeros and no number

/// A Huffman table (ITU-T T.81, Annex C and F.2.2).
struct HuffmanTable {
  std::vector<std::uint8_t> definition;  ///< 16 counts, then the symbols: what it was made from
  bool ac = false;
  std::array<Entry, 1U << kLookupBits> entries;
  /// For each length: 1 + the last code of that length, in the upper bits of 16; the first length
  /// whose entry is above the next 16 bits is the code's.
  std::array<std::uint32_t, 17> limit;
  std::array<std::int32_t, 17> symbol_offset;  ///< code + this: index of its symbol
  std::array<std::uint8_t, 256> symbols;
};

/// Builds the table of a definition as DHT holds it: 16 counts and as many symbols as they sum to.
/// @returns false for tables that libjpeg refuses
bool build_huffman_table(std::span<const std::uint8_t> definition, bool ac, HuffmanTable& table);

/// The number that `size` > 0 bits mean (EXTEND, F.12).
inline int extend(int bits, int size) {
  return bits < (1 << (size - 1)) ? bits - (1 << size) + 1 : bits;
}

/// Tables made before: most pictures share theirs.
class HuffmanTableCache {
 public:
  /// The table of this definition; null where build_huffman_table returns false. Valid until
  /// kTables others were asked for: the one that went unasked for longest makes room.
  const HuffmanTable* find(std::span<const std::uint8_t> definition, bool ac);

 private:
  struct Slot {
    HuffmanTable table;
    std::uint64_t last_asked = 0;
  };

  static constexpr std::size_t kTables = 16;  // more than the eight that a picture can have at once
  std::vector<Slot> slots_;
  std::uint64_t asked_ = 0;
};

}  // namespace casvit::dataio::jpeg
