#include "dataio/augment/normalize.h"

namespace casvit::dataio {

void normalize(const ImageView& image, const Normalization& normalization, Mirror mirror,
               float* out) {
  float table[3][256];  // a channel has only 256 results
  for (std::size_t c = 0; c < 3; ++c) {
    for (int value = 0; value < 256; ++value) {
      const float scaled = static_cast<float>(value) / 255.0F;
      table[c][value] = (scaled - normalization.mean[c]) / normalization.std[c];
    }
  }
  const std::ptrdiff_t step = mirror.horizontally ? -3 : 3;
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* in = image.row(mirror.vertically ? image.height - 1 - y : y);
    if (mirror.horizontally) in += static_cast<std::ptrdiff_t>(image.width - 1) * 3;
    for (int x = 0; x < image.width; ++x, in += step, out += 3) {
      out[0] = table[0][in[0]];
      out[1] = table[1][in[1]];
      out[2] = table[2][in[2]];
    }
  }
}

}  // namespace casvit::dataio
