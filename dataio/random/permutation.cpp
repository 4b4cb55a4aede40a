#include "dataio/random/permutation.h"

#include <bit>

#include "dataio/error.h"
#include "dataio/random/counter_rng.h"

namespace casvit::dataio {
namespace {

/// Finaliser of MurmurHash3: every input bit changes every output bit with probability near 1/2.
std::uint64_t mix(std::uint64_t value) {
  value ^= value >> 33;
  value *= 0xFF51AFD7ED558CCDULL;
  value ^= value >> 33;
  value *= 0xC4CEB9FE1A85EC53ULL;
  value ^= value >> 33;
  return value;
}

constexpr std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return low | static_cast<std::uint64_t>(high) << 32;
}

}  // namespace

KeyedPermutation::KeyedPermutation(std::uint64_t size, std::uint64_t key0, std::uint64_t key1)
    : size_(size) {
  if (size == 0) throw UsageError("a permutation of no elements was asked for");
  const auto bits = static_cast<std::uint32_t>(std::bit_width(size - 1));
  half_bits_ = bits <= 2 ? 1 : (bits + 1) / 2;
  half_mask_ = (std::uint64_t{1} << half_bits_) - 1;
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(key0),
                                            static_cast<std::uint32_t>(key0 >> 32)};
  for (std::uint32_t block = 0; block < 4; ++block) {
    const auto words = philox4x32_10(
        {block, 0, static_cast<std::uint32_t>(key1), static_cast<std::uint32_t>(key1 >> 32)}, key);
    const std::size_t index = std::size_t{2} * block;
    round_keys_[index] = join(words[0], words[1]);
    round_keys_[index + 1] = join(words[2], words[3]);
  }
}

std::uint64_t KeyedPermutation::operator()(std::uint64_t position) const {
  std::uint64_t value = position;
  // The network permutes less than four times `size` elements, so that a walk takes under four
  // steps on average; it ends, because the cycle that it follows contains `position` itself.
  do {
    std::uint64_t left = value >> half_bits_;
    std::uint64_t right = value & half_mask_;
    for (const std::uint64_t round_key : round_keys_) {
      const std::uint64_t next = left ^ (mix(right ^ round_key) & half_mask_);
      left = right;
      right = next;
    }
    value = left << half_bits_ | right;
  } while (value >= size_);
  return value;
}

}  // namespace casvit::dataio
