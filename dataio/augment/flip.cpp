#include "dataio/augment/flip.h"

#include <algorithm>

namespace casvit::dataio {

void flip_horizontally(Image& image) {
  for (int y = 0; y < image.height; ++y) {
    std::uint8_t* left = image.row(y);
    std::uint8_t* right = left + image.row_bytes();
    for (right -= 3; left < right; left += 3, right -= 3) std::swap_ranges(left, left + 3, right);
  }
}

void flip_vertically(Image& image) {
  for (int top = 0, bottom = image.height - 1; top < bottom; ++top, --bottom) {
    std::swap_ranges(image.row(top), image.row(top) + image.row_bytes(), image.row(bottom));
  }
}

}  // namespace casvit::dataio
