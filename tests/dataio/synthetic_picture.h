#pragma once

#include "dataio/image/image.h"

namespace casvit::dataio::testing {

/// The same picture as golden/synthetic.py makes. seed % 3: 0 noise, 1 gradients, 2 both.
inline Image synthetic_picture(int height, int width, std::uint32_t seed) {
  Image image;
  image.height = height;
  image.width = width;
  for (std::uint32_t y = 0; y < static_cast<std::uint32_t>(height); ++y) {
    for (std::uint32_t x = 0; x < static_cast<std::uint32_t>(width); ++x) {
      for (std::uint32_t c = 0; c < 3; ++c) {
        std::uint32_t noise = (x * 0x9E3779B1U) ^ (y * 0x85EBCA77U) ^ (c * 0xC2B2AE3DU);
        noise ^= seed * 0x27D4EB2FU;
        noise ^= noise >> 15;
        noise *= 0x2C1B3C6DU;
        noise ^= noise >> 13;
        noise >>= 24;
        const std::uint32_t gradient = x * 5 + y * 3 + c * 40;
        const std::uint32_t both = (gradient & 127) + (noise >> 1);
        const std::uint32_t value = seed % 3 == 0 ? noise : seed % 3 == 1 ? gradient : both;
        image.pixels.push_back(static_cast<std::uint8_t>(value));
      }
    }
  }
  return image;
}

}  // namespace casvit::dataio::testing
