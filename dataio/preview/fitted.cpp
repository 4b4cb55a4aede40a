#include "dataio/preview/fitted.h"

#include <algorithm>
#include <cmath>

#include "dataio/image/resize.h"

namespace casvit::dataio {

Image fitted(const Image& picture, int side) {
  const int longest = std::max(picture.height, picture.width);
  if (longest <= side) return picture;
  const auto scaled = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(static_cast<double>(length) * side / longest)));
  };
  Image small;
  resize(picture, scaled(picture.height), scaled(picture.width), Interpolation::kBicubic, small);
  return small;
}

}  // namespace casvit::dataio
