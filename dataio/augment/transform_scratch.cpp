#include "dataio/augment/transform_scratch.h"

#include <cstring>

namespace casvit::dataio {

TransformScratch::TransformScratch() = default;
TransformScratch::~TransformScratch() = default;

TransformScratch::Buffers& TransformScratch::buffers(const Normalization& normalization) {
  if (!buffers_ || buffers_->normalizer.normalization() != normalization) {
    buffers_ = std::make_unique<Buffers>(normalization);
  }
  return *buffers_;
}

PictureSource source_of(const Image& image) {
  const auto decode = [&image](const PixelBox& box) {
    return ImageView(image).crop(box.top, box.left, box.height, box.width);
  };
  return {image.height, image.width, decode};
}

void resize_into(const PictureSource& source, const ResizePlan& plan, Mirror mirror,
                 Resampler& resampler, Image& picture) {
  ResizePlan mirrored = plan;
  mirrored.mirrored = mirror.horizontally;
  const PixelBox needed = resampler.plan(mirrored);
  resampler.begin(source.decode(needed));
  picture.height = plan.wanted.height;
  picture.width = plan.wanted.width;
  picture.pixels.resize(static_cast<std::size_t>(picture.height) * picture.row_bytes());
  for (int y = 0; y < picture.height; ++y) {
    const int place = mirror.vertically ? picture.height - 1 - y : y;
    std::memcpy(picture.row(place), resampler.row(y), picture.row_bytes());
  }
}

void resize_and_normalize(const PictureSource& source, const ResizePlan& plan, Mirror mirror,
                          TransformScratch::Buffers& buffers, float* out) {
  ResizePlan mirrored = plan;
  mirrored.mirrored = mirror.horizontally;
  const PixelBox needed = buffers.resampler.plan(mirrored);
  const ImageView pixels = source.decode(needed);
  if (!buffers.resampler.resizes()) return normalize(pixels, buffers.normalizer, mirror, out);

  buffers.resampler.begin(pixels);
  const int rows = plan.wanted.height;
  const auto columns = static_cast<std::size_t>(plan.wanted.width);
  for (int y = 0; y < rows; ++y) {
    const auto place = static_cast<std::size_t>(mirror.vertically ? rows - 1 - y : y);
    buffers.normalizer.row(buffers.resampler.row(y), columns, false, out + place * columns * 3);
  }
  Normalizer::finish();
}

}  // namespace casvit::dataio
