#include "dataio/image/jpeg/huffman_table.h"

#include <algorithm>
#include <cstddef>

namespace casvit::dataio::jpeg {
namespace {

constexpr std::size_t kCounts = 16;

/// The entry of patterns that begin with a code of `length` bits for `symbol`; `pattern` has
/// kLookupBits bits.
Entry entry_of(unsigned pattern, int length, std::uint8_t symbol, bool ac) {
  const int size = ac ? symbol & 15 : symbol;
  const int run = ac ? symbol >> 4 : 0;
  const auto special = [&](std::int16_t what) {
    return Entry{static_cast<std::uint8_t>(length | kSpecial), static_cast<std::uint8_t>(run),
                 what};
  };
  if (ac && size == 0) return special(run == 15 ? kSixteenZeros : kEndOfBlock);
  const int bits = length + size;
  if (bits > kLookupBits) return special(static_cast<std::int16_t>(size));
  int value = 0;
  if (size > 0) {
    const auto number = static_cast<int>(pattern >> (kLookupBits - bits)) & ((1 << size) - 1);
    value = extend(number, size);
  }
  return {static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(run),
          static_cast<std::int16_t>(value)};
}

}  // namespace

bool build_huffman_table(std::span<const std::uint8_t> definition, bool ac, HuffmanTable& table) {
  const auto counts = definition.first(kCounts);
  const auto symbols = definition.subspan(kCounts);
  if (!ac && std::any_of(symbols.begin(), symbols.end(), [](auto s) { return s > 15; })) {
    return false;
  }
  table.definition.assign(definition.begin(), definition.end());
  table.ac = ac;
  table.entries.fill({kSpecial, 0, kLongCode});
  table.symbols.fill(0);
  std::copy(symbols.begin(), symbols.end(), table.symbols.begin());
  unsigned code = 0;
  std::size_t index = 0;
  for (int length = 1; length <= static_cast<int>(kCounts); ++length) {
    const auto at = static_cast<std::size_t>(length);
    table.symbol_offset[at] = static_cast<int>(index) - static_cast<int>(code);
    for (int i = 0; i < counts[at - 1]; ++i, ++code, ++index) {
      if (length > kLookupBits) continue;
      const int free_bits = kLookupBits - length;
      const unsigned begin = code << free_bits;
      if (begin + (1U << free_bits) > table.entries.size()) return false;
      for (unsigned pattern = begin; pattern < begin + (1U << free_bits); ++pattern) {
        table.entries[pattern] = entry_of(pattern, length, symbols[index], ac);
      }
    }
    // No code is all ones (libjpeg checks it as long as codes follow).
    if (code >= (1U << length) && counts[at - 1] > 0) return false;
    table.limit[at] = code << (16 - length);
    code <<= 1;
  }
  return true;
}

const HuffmanTable* HuffmanTableCache::find(std::span<const std::uint8_t> definition, bool ac) {
  ++asked_;
  for (Slot& slot : slots_) {
    if (slot.table.ac != ac || !std::ranges::equal(slot.table.definition, definition)) continue;
    slot.last_asked = asked_;
    return &slot.table;
  }
  slots_.reserve(kTables);  // tables in use must not move
  if (slots_.size() < kTables) slots_.emplace_back();
  // A new slot has never been asked for.
  Slot& slot = *std::ranges::min_element(slots_, {}, &Slot::last_asked);
  slot.last_asked = asked_;
  if (build_huffman_table(definition, ac, slot.table)) return &slot.table;
  slot.table.definition.clear();
  return nullptr;
}

}  // namespace casvit::dataio::jpeg
