#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "dataio/random/counter_rng.h"

namespace casvit::dataio {

/// What an erased box is filled with, after normalization: zeros (the mean colour), one colour of
/// standard normal noise, or such noise in every pixel.
enum class ErasingMode { kConst, kRand, kPixel };

/// Random Erasing (Zhong et al., arXiv:1708.04896), with timm.data.random_erasing's names.
struct RandomErasingOptions {
  double probability = 0;
  ErasingMode mode = ErasingMode::kPixel;
  int max_count = 1;                           ///< boxes a picture: 1 to so many
  std::array<double, 2> area{0.02, 1. / 3};    ///< share of the picture that all its boxes have
  std::array<double, 2> aspect{0.3, 1 / 0.3};  ///< height / width
};

/// An erased box: rows [top, top + height), columns [left, left + width).
struct ErasedBox {
  int top = 0, left = 0, height = 0, width = 0;

  bool operator==(const ErasedBox&) const = default;
};

/// The box, placed at (0, 0), of an area (pixels) and aspect ratio (height / width) in a square of
/// `size` pixels; nullopt where it is not smaller than the picture: one of timm's ten tries.
std::optional<ErasedBox> erased_box_of(int size, double area, double aspect);

/// The boxes of one picture, none where `probability` says so. As in timm, the area drawn for a box
/// is divided by their number, a box that ten tries could not place is left out, and boxes may
/// overlap.
std::vector<ErasedBox> draw_random_erasing(const RandomErasingOptions& options, int size,
                                           CounterRng& rng);

/// What `box` is filled with: 3 values, or 3 for each of its pixels where `mode` is kPixel.
std::vector<float> draw_erased_values(ErasingMode mode, const ErasedBox& box, CounterRng& rng);

/// Fills `box` of `image`, `[size, size, 3] float32`, with `values`: one colour, or a colour for
/// every pixel, row by row.
void erase_box(float* image, int size, const ErasedBox& box, std::span<const float> values);

}  // namespace casvit::dataio
