#include "launch/half_precision.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>

namespace casvit::launch {
namespace {

/// A 16-bit format described by its definition, in double arithmetic: an independent reference.
struct Format {
  int mantissa_bits;
  int exponent_bits;
  std::function<float(std::uint16_t)> to_float;
  std::function<std::uint16_t(float)> from_float;

  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  int largest_exponent() const { return (1 << exponent_bits) - 1; }

  double value_of(std::uint16_t bits) const {
    const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
    const int exponent = (bits & 0x7fff) >> mantissa_bits;
    const int mantissa = bits & ((1 << mantissa_bits) - 1);
    if (exponent == largest_exponent()) {
      return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN()
                           : sign * std::numeric_limits<double>::infinity();
    }
    const int steps = exponent == 0 ? mantissa : mantissa + (1 << mantissa_bits);
    return sign * std::ldexp(steps, std::max(exponent, 1) - bias() - mantissa_bits);
  }

  /// Nearest representable value, ties to even (nearbyint's default).
  double rounded(double value) const {
    const int exponent = std::max(std::ilogb(value), 1 - bias());
    const double step = std::ldexp(1.0, exponent - mantissa_bits);
    const double nearest = std::nearbyint(value / step) * step;
    const double limit = std::ldexp(1.0, largest_exponent() - bias());
    return std::abs(nearest) >= limit
               ? std::copysign(std::numeric_limits<double>::infinity(), value)
               : nearest;
  }
};

const Format kBFloat16{7, 8, bfloat16_to_float, float_to_bfloat16};
const Format kFloat16{10, 5, float16_to_float, float_to_float16};

class HalfPrecision : public testing::TestWithParam<const Format*> {};

TEST_P(HalfPrecision, EveryBitPatternHasItsValue) {
  const Format& format = *GetParam();
  for (int bits = 0; bits <= 0xffff; ++bits) {
    const double expected = format.value_of(static_cast<std::uint16_t>(bits));
    const float actual = format.to_float(static_cast<std::uint16_t>(bits));
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(actual)) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(actual), expected) << bits;
      ASSERT_EQ(std::signbit(actual), (bits & 0x8000) != 0) << bits;
    }
  }
}

TEST_P(HalfPrecision, EveryBitPatternComesBack) {
  const Format& format = *GetParam();
  for (int i = 0; i <= 0xffff; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const std::uint16_t back = format.from_float(format.to_float(bits));
    if (std::isnan(format.value_of(bits))) {
      ASSERT_TRUE(std::isnan(format.value_of(back))) << bits;
      ASSERT_EQ(back & 0x8000, bits & 0x8000) << bits;
    } else {
      ASSERT_EQ(back, bits);
    }
  }
}

/// Around every value, and around every midpoint between two, where rounding decides.
TEST_P(HalfPrecision, RoundsToNearestEven) {
  const Format& format = *GetParam();
  for (int i = 0; i < 0x7fff; ++i) {
    const double low = format.value_of(static_cast<std::uint16_t>(i));
    const double high = format.value_of(static_cast<std::uint16_t>(i + 1));
    if (!std::isfinite(low) || !std::isfinite(high)) continue;
    const auto middle = static_cast<float>((low + high) / 2);
    const float infinity = std::numeric_limits<float>::infinity();
    for (const float value : {static_cast<float>(low), std::nextafter(middle, -infinity), middle,
                              std::nextafter(middle, infinity)}) {
      for (const float sign : {1.0F, -1.0F}) {
        const float signed_value = std::copysign(value, sign);
        const double expected = value == 0 ? 0.0 : format.rounded(signed_value);
        const double actual = format.value_of(format.from_float(signed_value));
        ASSERT_EQ(actual, expected) << "of " << signed_value;
      }
    }
  }
}

TEST_P(HalfPrecision, GoesToInfinityWhereRoundingDoes) {
  const Format& format = *GetParam();
  const double largest = format.value_of(
      static_cast<std::uint16_t>((format.largest_exponent() << format.mantissa_bits) - 1));
  const double half_step =
      std::ldexp(1.0, format.largest_exponent() - 1 - format.bias() - format.mantissa_bits - 1);
  const auto border = static_cast<float>(largest + half_step);
  const float below = std::nextafter(border, 0.0F);
  EXPECT_EQ(format.value_of(format.from_float(below)), largest);
  EXPECT_TRUE(std::isinf(format.value_of(format.from_float(border))));
  EXPECT_TRUE(
      std::isinf(format.value_of(format.from_float(std::numeric_limits<float>::infinity()))));
  EXPECT_TRUE(std::isinf(format.value_of(format.from_float(std::numeric_limits<float>::max()))));
}

TEST_P(HalfPrecision, KeepsNanWhoseHighBitsAreZero) {
  const Format& format = *GetParam();
  for (const std::uint32_t bits : {0x7f800001u, 0xff800001u, 0x7fc00000u, 0x7fffffffu}) {
    EXPECT_TRUE(std::isnan(format.value_of(format.from_float(std::bit_cast<float>(bits)))));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, HalfPrecision, testing::Values(&kBFloat16, &kFloat16),
                         [](const auto& info) {
                           return info.param == &kBFloat16 ? "bfloat16" : "float16";
                         });

}  // namespace
}  // namespace casvit::launch
