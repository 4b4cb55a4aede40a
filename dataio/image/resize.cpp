#include "dataio/image/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>

#include "dataio/error.h"
#include "dataio/image/resample_coefficients.h"
#include "dataio/image/resample_kernels.h"

namespace casvit::dataio {
namespace {

/// Pillow hands the box on as float32, which decides some coefficients.
struct FloatBox {
  float left, top, right, bottom;
};

void check(const ImageView& source, const FloatBox& box, int height, int width) {
  if (height < 1 || width < 1) {
    throw UsageError("cannot resize to " + std::to_string(width) + " x " + std::to_string(height));
  }
  // Written so that a NaN fails.
  const bool inside = box.left >= 0 && box.top >= 0 &&
                      box.right <= static_cast<float>(source.width) &&
                      box.bottom <= static_cast<float>(source.height) && box.left < box.right &&
                      box.top < box.bottom;
  if (!inside) {
    throw UsageError("cannot resize the box (" + std::to_string(box.left) + ", " +
                     std::to_string(box.top) + ", " + std::to_string(box.right) + ", " +
                     std::to_string(box.bottom) + ") of a picture of " +
                     std::to_string(source.width) + " x " + std::to_string(source.height));
  }
}

bool is_whole(float value) { return value == std::trunc(value); }

void copy_rows(const ImageView& source, Image& destination) {
  for (int y = 0; y < destination.height; ++y) {
    std::memcpy(destination.row(y), source.row(y), destination.row_bytes());
  }
}

/// Rows that a pass works on and makes.
struct Rows {
  const std::uint8_t* first;
  std::size_t stride;
};

/// Resamples `rows` rows along x. The last row (of very narrow pictures, rows) goes through a copy
/// with kReadAhead bytes behind it.
void horizontal_pass(const Rows& in, std::size_t in_row_bytes, int rows,
                     const ResampleCoefficients& coefficients, std::uint8_t* out) {
  const auto& kernels = resample_kernels();
  const int copied = std::min(rows, 1 + static_cast<int>(kReadAhead / in_row_bytes));
  const int direct = rows - copied;
  kernels.horizontal(in.first, in.stride, direct, coefficients, out);
  const auto end = std::make_unique<std::uint8_t[]>(
      static_cast<std::size_t>(copied) * in_row_bytes + kReadAhead);
  for (int i = 0; i < copied; ++i) {
    std::memcpy(end.get() + static_cast<std::size_t>(i) * in_row_bytes,
                in.first + static_cast<std::size_t>(direct + i) * in.stride, in_row_bytes);
  }
  const auto out_row_bytes = static_cast<std::size_t>(coefficients.outputs()) * 3;
  kernels.horizontal(end.get(), in_row_bytes, copied, coefficients,
                     out + static_cast<std::size_t>(direct) * out_row_bytes);
}

/// Resamples along y. Row 0 of `in` is row `first_row` of what the coefficients refer to.
void vertical_pass(const Rows& in, std::size_t row_bytes, int first_row,
                   const ResampleCoefficients& coefficients, std::uint8_t* out) {
  const auto& kernels = resample_kernels();
  for (int y = 0; y < coefficients.outputs(); ++y, out += row_bytes) {
    const auto index = static_cast<std::size_t>(y);
    const auto begin = static_cast<std::size_t>(coefficients.first[index] - first_row);
    kernels.vertical(in.first + begin * in.stride, in.stride, row_bytes, coefficients.row(y),
                     coefficients.count[index], out);
  }
}

using Scratch = std::unique_ptr<std::uint8_t[]>;

Scratch allocate(int rows, std::size_t row_bytes) {
  return std::make_unique_for_overwrite<std::uint8_t[]>(static_cast<std::size_t>(rows) * row_bytes);
}

}  // namespace

void resize(const ImageView& source, const Box& wide_box, int height, int width,
            Interpolation interpolation, Image& destination) {
  const FloatBox box = {static_cast<float>(wide_box.left), static_cast<float>(wide_box.top),
                        static_cast<float>(wide_box.right), static_cast<float>(wide_box.bottom)};
  check(source, box, height, width);
  destination.height = height;
  destination.width = width;
  destination.pixels.resize(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3);

  const auto wide = static_cast<float>(width);
  const auto high = static_cast<float>(height);
  if (is_whole(box.left) && is_whole(box.top) && box.right - box.left == wide &&
      box.bottom - box.top == high) {
    copy_rows(source.crop(static_cast<int>(box.top), static_cast<int>(box.left), height, width),
              destination);
    return;
  }

  const bool need_horizontal = width != source.width || box.left != 0 || box.right != wide;
  const bool need_vertical = height != source.height || box.top != 0 || box.bottom != high;
  const std::int64_t height_shrinks = static_cast<std::int64_t>(source.height) - height;
  const std::int64_t width_shrinks = static_cast<std::int64_t>(source.width) - width;
  const bool vertical_first = height_shrinks > 0 && height_shrinks > width_shrinks * 2;

  const Rows in = {source.pixels, source.stride};
  const std::size_t in_row_bytes = static_cast<std::size_t>(source.width) * 3;
  const std::size_t out_row_bytes = destination.row_bytes();
  const auto along_x = [&] {
    return resample_coefficients(source.width, box.left, box.right, width, interpolation);
  };
  const auto along_y = [&] {
    return resample_coefficients(source.height, box.top, box.bottom, height, interpolation);
  };
  if (!need_vertical) {
    horizontal_pass(in, in_row_bytes, height, along_x(), destination.pixels.data());
  } else if (!need_horizontal) {
    vertical_pass(in, in_row_bytes, 0, along_y(), destination.pixels.data());
  } else if (vertical_first) {
    const Scratch between = allocate(height, in_row_bytes);
    vertical_pass(in, in_row_bytes, 0, along_y(), between.get());
    horizontal_pass({between.get(), in_row_bytes}, in_row_bytes, height, along_x(),
                    destination.pixels.data());
  } else {
    // Only the rows that the vertical pass will read.
    const ResampleCoefficients vertical = along_y();
    const int first_row = vertical.first.front();
    const int rows = vertical.first.back() + vertical.count.back() - first_row;
    const Scratch between = allocate(rows, out_row_bytes);
    const Rows needed = {source.row(first_row), source.stride};
    horizontal_pass(needed, in_row_bytes, rows, along_x(), between.get());
    vertical_pass({between.get(), out_row_bytes}, out_row_bytes, first_row, vertical,
                  destination.pixels.data());
  }
}

void resize(const ImageView& source, int height, int width, Interpolation interpolation,
            Image& destination) {
  const Box whole = {0, 0, static_cast<double>(source.width), static_cast<double>(source.height)};
  resize(source, whole, height, width, interpolation, destination);
}

}  // namespace casvit::dataio
