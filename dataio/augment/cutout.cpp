#include "dataio/augment/cutout.h"

#include <algorithm>
#include <cstddef>

namespace casvit::dataio {

CutoutHole cutout_hole(int size, int length, int y, int x) {
  const int half = length / 2;
  return {std::clamp(y - half, 0, size), std::clamp(y + half, 0, size),
          std::clamp(x - half, 0, size), std::clamp(x + half, 0, size)};
}

CutoutHole draw_cutout(int size, int length, CounterRng& rng) {
  const int y = static_cast<int>(rng.below(static_cast<std::uint64_t>(size)));
  const int x = static_cast<int>(rng.below(static_cast<std::uint64_t>(size)));
  return cutout_hole(size, length, y, x);
}

void apply_cutout(float* image, int size, const CutoutHole& hole) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(size) * 3;
  for (int y = hole.top; y < hole.bottom; ++y) {
    std::fill(image + y * row + static_cast<std::ptrdiff_t>(hole.left) * 3,
              image + y * row + static_cast<std::ptrdiff_t>(hole.right) * 3, 0.0F);
  }
}

}  // namespace casvit::dataio
