#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace casvit::trainer {

/// The bytes of pickles, one after the other, taken from the front. A taker never goes beyond the
/// end. @throws PickleDefect
class PickleBytes {
 public:
  explicit PickleBytes(std::string_view bytes) : bytes_(bytes) {}

  std::size_t position() const { return position_; }
  std::string_view take(std::uint64_t count);
  /// A little-endian number of 1, 2, 4 or 8 bytes.
  template <std::integral Integer>
  Integer number() {
    static_assert(std::endian::native == std::endian::little, "pickles are little-endian");
    Integer value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  /// Up to the next newline, which is taken, too.
  std::string_view line();

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
};

}  // namespace casvit::trainer
