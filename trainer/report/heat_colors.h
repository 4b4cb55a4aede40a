#pragma once

#include <array>
#include <cstdint>

namespace casvit::trainer {

using Rgb = std::array<std::uint8_t, 3>;

/// Colours from little (dark violet) over red and orange to much (pale yellow), 256 of them, sRGB.
/// Equal steps look equally large: neighbours are equally far apart in OKLab (Ottosson, "A
/// perceptual color space for image processing", 2020), and lightness rises throughout, so that
/// the order survives grey print and colour blindness.
const std::array<Rgb, 256>& heat_colors();

}  // namespace casvit::trainer
