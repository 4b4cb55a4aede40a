#include "dataio/augment/random_erasing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace casvit::dataio {
namespace {

constexpr int kTries = 10;

std::optional<ErasedBox> draw_box(const RandomErasingOptions& options, int size, int count,
                                  CounterRng& rng) {
  const double whole = static_cast<double>(size) * size;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const double area = rng.uniform(options.area[0], options.area[1]) * whole / count;
    const double aspect =
        std::exp(rng.uniform(std::log(options.aspect[0]), std::log(options.aspect[1])));
    if (auto box = erased_box_of(size, area, aspect)) {
      box->top = static_cast<int>(rng.below(static_cast<std::uint64_t>(size - box->height) + 1));
      box->left = static_cast<int>(rng.below(static_cast<std::uint64_t>(size - box->width) + 1));
      return box;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<ErasedBox> erased_box_of(int size, double area, double aspect) {
  // Python's round(): halves go to the even number.
  const double height = std::nearbyint(std::sqrt(area * aspect));
  const double width = std::nearbyint(std::sqrt(area / aspect));
  if (!(height < size && width < size)) return std::nullopt;
  return ErasedBox{0, 0, static_cast<int>(height), static_cast<int>(width)};
}

std::vector<ErasedBox> draw_random_erasing(const RandomErasingOptions& options, int size,
                                           CounterRng& rng) {
  std::vector<ErasedBox> boxes;
  if (!(rng.uniform() < options.probability)) return boxes;
  const int count = 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(options.max_count)));
  for (int i = 0; i < count; ++i) {
    if (const auto box = draw_box(options, size, count, rng)) boxes.push_back(*box);
  }
  return boxes;
}

std::vector<float> draw_erased_values(ErasingMode mode, const ErasedBox& box, CounterRng& rng) {
  std::vector<float> values(3);
  if (mode == ErasingMode::kPixel) {
    values.resize(static_cast<std::size_t>(box.height) * static_cast<std::size_t>(box.width) * 3);
  }
  if (mode != ErasingMode::kConst) rng.fill_normal(values);
  return values;
}

void erase_box(float* image, int size, const ErasedBox& box, std::span<const float> values) {
  const std::size_t row_floats = static_cast<std::size_t>(box.width) * 3;
  const bool one_colour = values.size() == 3;
  for (int y = 0; y < box.height; ++y) {
    float* out = image + (static_cast<std::size_t>(box.top + y) * static_cast<std::size_t>(size) +
                          static_cast<std::size_t>(box.left)) *
                             3;
    if (!one_colour) {
      std::ranges::copy(values.subspan(static_cast<std::size_t>(y) * row_floats, row_floats), out);
      continue;
    }
    for (std::size_t i = 0; i < row_floats; i += 3) std::ranges::copy(values, out + i);
  }
}

}  // namespace casvit::dataio
