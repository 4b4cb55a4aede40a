#pragma once

#include <cstddef>
#include <vector>

#include "trainer/report/evaluation.h"

namespace casvit::trainer {

/// A gallery has no more pictures, and they are no larger (pixels, either side).
constexpr std::size_t kMostGalleryPictures = 2000;
constexpr int kGalleryThumbnailSide = 96;

/// Places in an evaluation of the pictures that a gallery shows, those first that somebody should
/// look at first: pictures whose answer is known to be wrong, then the others; each by rising
/// probability of the first answer, equal ones in their order.
std::vector<std::size_t> gallery_choice(const Evaluation& evaluation);

}  // namespace casvit::trainer
