#pragma once

#include <array>
#include <optional>

#include "dataio/image/image.h"
#include "dataio/random/counter_rng.h"

namespace casvit::dataio {

/// A crop in whole pixels.
using CropBox = PixelBox;

/// The size, placed at (0, 0), of a crop with this area (pixels) and aspect ratio (width / height);
/// nullopt where it does not fit: one of torchvision's ten tries.
std::optional<CropBox> crop_of(int height, int width, double area, double aspect_ratio);

/// What torchvision takes when ten tries found nothing: the largest central crop whose aspect ratio
/// is allowed.
CropBox central_crop(int height, int width, const std::array<double, 2>& ratio);

/// torchvision.transforms.RandomResizedCrop.get_params: ten tries, then central_crop.
/// @param scale share of the picture's area  @param ratio width / height, drawn uniformly in log
CropBox draw_random_resized_crop(int height, int width, const std::array<double, 2>& scale,
                                 const std::array<double, 2>& ratio, CounterRng& rng);

}  // namespace casvit::dataio
