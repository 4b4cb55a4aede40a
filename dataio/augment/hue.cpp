#include "dataio/augment/hue.h"

#include <algorithm>
#include <cmath>

namespace casvit::dataio {
namespace {

struct Hsv {
  std::uint8_t hue, saturation, value;
};

std::uint8_t clip8(int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }

/// Pillow's rgb2hsv_row, with its mixture of float32 and float64.
Hsv to_hsv(const std::uint8_t* pixel) {
  const int red = pixel[0];
  const int green = pixel[1];
  const int blue = pixel[2];
  const int largest = std::max({red, green, blue});
  const int smallest = std::min({red, green, blue});
  if (smallest == largest) return {0, 0, static_cast<std::uint8_t>(largest)};
  const auto range = static_cast<float>(largest - smallest);
  const float saturation = range / static_cast<float>(largest);
  const float from_red = static_cast<float>(largest - red) / range;
  const float from_green = static_cast<float>(largest - green) / range;
  const float from_blue = static_cast<float>(largest - blue) / range;
  float hue = 0;
  if (red == largest) {
    hue = from_blue - from_green;
  } else if (green == largest) {
    hue = static_cast<float>(2.0 + from_red - from_blue);
  } else {
    hue = static_cast<float>(4.0 + from_green - from_red);
  }
  hue = static_cast<float>(std::fmod(hue / 6.0 + 1.0, 1.0));
  return {clip8(static_cast<int>(hue * 255.0)), clip8(static_cast<int>(saturation * 255.0)),
          static_cast<std::uint8_t>(largest)};
}

/// Pillow's hsv2rgb.
void to_rgb(const Hsv& hsv, std::uint8_t* pixel) {
  const std::uint8_t v = hsv.value;
  if (hsv.saturation == 0) {
    pixel[0] = pixel[1] = pixel[2] = v;
    return;
  }
  const auto hue = static_cast<float>(hsv.hue);
  const int sector = static_cast<int>(std::floor(hue * 6.0 / 255.0));
  const auto fraction = static_cast<float>(hue * 6.0 / 255.0 - static_cast<float>(sector));
  const auto saturation = static_cast<float>(static_cast<float>(hsv.saturation) / 255.0);
  const auto value = static_cast<float>(v);
  const auto rounded = [](double x) { return clip8(static_cast<int>(std::round(x))); };
  const std::uint8_t p = rounded(value * (1.0 - saturation));
  const std::uint8_t q = rounded(value * (1.0 - saturation * fraction));
  const std::uint8_t t = rounded(value * (1.0 - saturation * (1.0 - fraction)));
  const std::uint8_t table[6][3] = {{v, t, p}, {q, v, p}, {p, v, t},
                                    {p, q, v}, {t, p, v}, {v, p, q}};
  std::copy_n(table[sector % 6], 3, pixel);
}

}  // namespace

void adjust_hue(Image& image, double shift) {
  // numpy: np.int32(shift * 255).astype(uint8), added modulo 256.
  const auto turn = static_cast<std::uint8_t>(static_cast<int>(shift * 255));
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    std::uint8_t* pixel = image.pixels.data() + i;
    Hsv hsv = to_hsv(pixel);
    hsv.hue = static_cast<std::uint8_t>(hsv.hue + turn);
    to_rgb(hsv, pixel);
  }
}

}  // namespace casvit::dataio
