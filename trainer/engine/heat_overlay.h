#pragma once

#include <ATen/core/Tensor.h>

#include "dataio/image/image.h"

namespace casvit::trainer {

/// A picture in grey with a map over it in colours (heat_colors.h): the map is resized to the
/// picture bilinearly (pixels' centres matched, as at::upsample_bilinear2d without align_corners;
/// averaging where it shrinks), coloured from `lowest` (and below, and NaN) to `highest` (and
/// above), and mixed in at 60%. Where lowest is not below highest all of it has the lowest colour.
/// @param map `[h, w]`, any floating-point type and device
dataio::Image heat_overlay(const dataio::Image& picture, const at::Tensor& map, double lowest,
                           double highest);

}  // namespace casvit::trainer
