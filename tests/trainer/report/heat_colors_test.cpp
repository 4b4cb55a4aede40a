// The colours of heat maps, measured by OKLab and CIELAB from their sRGB bytes.

#include "trainer/report/heat_colors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace casvit::trainer {
namespace {

double linear(std::uint8_t byte) {
  const double x = byte / 255.0;
  return x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
}

/// CIE 1976 lightness of an sRGB colour, 0 to 100.
double lightness(const Rgb& color) {
  const double y =
      0.2126 * linear(color[0]) + 0.7152 * linear(color[1]) + 0.0722 * linear(color[2]);
  return 116 * std::cbrt(y) - 16;
}

/// Ottosson's forward transform, M1 and M2.
std::array<double, 3> oklab(const Rgb& color) {
  const double r = linear(color[0]);
  const double g = linear(color[1]);
  const double b = linear(color[2]);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

TEST(HeatColors, GrowLighterFromEndToEnd) {
  for (std::size_t i = 4; i < heat_colors().size(); i += 4) {
    EXPECT_GT(lightness(heat_colors()[i]), lightness(heat_colors()[i - 4])) << i;
  }
  EXPECT_LT(lightness(heat_colors().front()), 12);
  EXPECT_GT(lightness(heat_colors().back()), 88);
}

TEST(HeatColors, EqualStepsLookEquallyLarge) {
  constexpr std::size_t kStep = 15;  // rounding to bytes moves a step of this size by up to 5%
  double least = 1;
  double most = 0;
  for (std::size_t i = kStep; i < heat_colors().size(); i += kStep) {
    const auto p = oklab(heat_colors()[i - kStep]);
    const auto q = oklab(heat_colors()[i]);
    const double distance = std::hypot(q[0] - p[0], q[1] - p[1], q[2] - p[2]);
    least = std::min(least, distance);
    most = std::max(most, distance);
  }
  EXPECT_LT(most, 1.12 * least) << "a colour outside sRGB would be cut off and stand out";
}

}  // namespace
}  // namespace casvit::trainer
