#include "dataio/image/resize.h"

#include <cstring>

#include "dataio/image/resampler.h"

namespace casvit::dataio {

void resize(const ImageView& source, const Box& box, int height, int width,
            Interpolation interpolation, Image& destination) {
  ResizePlan plan = whole_resize(source.height, source.width, height, width, interpolation);
  plan.box = box;
  Resampler resampler;
  const PixelBox needed = resampler.plan(plan);
  resampler.begin(source.crop(needed.top, needed.left, needed.height, needed.width));
  destination.height = height;
  destination.width = width;
  destination.pixels.resize(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3);
  for (int y = 0; y < height; ++y) {
    std::memcpy(destination.row(y), resampler.row(y), destination.row_bytes());
  }
}

void resize(const ImageView& source, int height, int width, Interpolation interpolation,
            Image& destination) {
  const Box whole = {0, 0, static_cast<double>(source.width), static_cast<double>(source.height)};
  resize(source, whole, height, width, interpolation, destination);
}

}  // namespace casvit::dataio
