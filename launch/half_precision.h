#pragma once

#include <bit>
#include <cstdint>

namespace casvit::launch {

/// Conversions between float32 and the two 16-bit floats, which are carried as their bits. Rounding
/// is to nearest, ties to even; infinities and signed zeros are kept, a NaN stays a NaN (made
/// quiet). Written without branches that depend on data, so that loops over them vectorise.

inline float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

inline std::uint16_t float_to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  // Adding just under half of the last kept place, plus one when that place is odd, carries exactly
  // where round-to-nearest-even goes up; a carry out of the mantissa is the next exponent.
  const std::uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  // Cutting a NaN could leave a zero mantissa, an infinity: set the quiet bit.
  const std::uint32_t quiet_nan = (bits >> 16) | 0x40u;
  return static_cast<std::uint16_t>(is_nan ? quiet_nan : rounded);
}

inline float float16_to_float(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t magnitude = bits & 0x7fffu;
  const std::uint32_t shifted = magnitude << 13;
  const std::uint32_t normal = shifted + (112u << 23);  // exponent bias 15 -> 127
  const std::uint32_t infinity_or_nan =
      shifted | 0x7f800000u | (magnitude > 0x7c00u ? 1u << 22 : 0);
  // Below 2^-14 the value is the mantissa times 2^-24, exact in float32.
  const float tiny = static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1.0p-24F;
  const std::uint32_t result = magnitude < 0x0400u    ? std::bit_cast<std::uint32_t>(tiny)
                               : magnitude >= 0x7c00u ? infinity_or_nan
                                                      : normal;
  return std::bit_cast<float>(sign | result);
}

inline std::uint16_t float_to_float16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  // 2^-14 and more: as in bfloat16, 13 places are cut. 65520 and more carry into infinity.
  const std::uint32_t normal = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  // Below 2^-14: next to 0.5 the places of a float32 are worth 2^-24, float16's smallest step, so
  // that the addition itself rounds, and leaves the result in the low bits.
  const float aligned = std::bit_cast<float>(magnitude) + 0.5F;
  const std::uint32_t tiny = std::bit_cast<std::uint32_t>(aligned) - 0x3f000000u;
  const std::uint32_t quiet_nan = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  const std::uint32_t result = magnitude > 0x7f800000u    ? quiet_nan
                               : magnitude >= 0x47800000u ? 0x7c00u
                               : magnitude < 0x38800000u  ? tiny
                                                          : normal;
  return static_cast<std::uint16_t>(sign | result);
}

}  // namespace casvit::launch
