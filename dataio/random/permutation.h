#pragma once

#include <cstdint>

namespace casvit::dataio {

/// A keyed pseudo-random permutation of [0, size), each value computed in O(1) time and memory: a
/// balanced Feistel network over the next even power of two with cycle walking (Black and Rogaway,
/// "Ciphers with arbitrary finite domains", 2002).
class KeyedPermutation {
 public:
  /// @param size number of elements, >= 1.
  KeyedPermutation(std::uint64_t size, std::uint64_t key0, std::uint64_t key1);

  /// The element at `position` in [0, size).
  std::uint64_t operator()(std::uint64_t position) const;

  std::uint64_t size() const { return size_; }

 private:
  std::uint64_t size_;
  std::uint32_t half_bits_;
  std::uint64_t half_mask_;
  std::uint64_t round_keys_[8];
};

}  // namespace casvit::dataio
