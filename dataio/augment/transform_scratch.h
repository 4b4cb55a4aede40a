#pragma once

#include "dataio/augment/normalize.h"
#include "dataio/augment/transform.h"
#include "dataio/image/resampler.h"

namespace casvit::dataio {

struct TransformScratch::Buffers {
  explicit Buffers(const Normalization& normalization) : normalizer(normalization) {}

  Normalizer normalizer;
  Resampler resampler;
  Image picture;  ///< between resize and normalisation, where there are operations between them
};

/// A source that holds its pixels already.
PictureSource source_of(const Image& image);

/// Resizes as planned and mirrors, into `picture`, whose memory is reused.
void resize_into(const PictureSource& source, const ResizePlan& plan, Mirror mirror,
                 Resampler& resampler, Image& picture);

/// Resizes as planned and normalises row by row. @param out `[wanted.height, wanted.width, 3]`
void resize_and_normalize(const PictureSource& source, const ResizePlan& plan, Mirror mirror,
                          TransformScratch::Buffers& buffers, float* out);

}  // namespace casvit::dataio
