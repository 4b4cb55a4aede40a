#include "dataio/image/resampler.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "dataio/error.h"

namespace casvit::dataio {
namespace {

/// Rows that the first pass makes ahead of what is asked for: what the horizontal kernel takes at
/// once.
constexpr int kStrip = 32;

/// Pillow hands the box on as float32, which decides some coefficients.
struct FloatBox {
  float left, top, right, bottom;
};

FloatBox narrowed(const Box& box) {
  return {static_cast<float>(box.left), static_cast<float>(box.top), static_cast<float>(box.right),
          static_cast<float>(box.bottom)};
}

void check(const ResizePlan& plan, const FloatBox& box) {
  if (plan.height < 1 || plan.width < 1) {
    throw UsageError("cannot resize to " + std::to_string(plan.width) + " x " +
                     std::to_string(plan.height));
  }
  // Written so that a NaN fails.
  const bool inside = box.left >= 0 && box.top >= 0 &&
                      box.right <= static_cast<float>(plan.source_width) &&
                      box.bottom <= static_cast<float>(plan.source_height) &&
                      box.left < box.right && box.top < box.bottom;
  if (!inside) {
    throw UsageError("cannot resize the box (" + std::to_string(box.left) + ", " +
                     std::to_string(box.top) + ", " + std::to_string(box.right) + ", " +
                     std::to_string(box.bottom) + ") of a picture of " +
                     std::to_string(plan.source_width) + " x " +
                     std::to_string(plan.source_height));
  }
}

bool is_whole(float value) { return value == std::trunc(value); }

void reserve(std::vector<std::uint8_t>& buffer, std::size_t bytes) {
  if (buffer.size() < bytes) buffer.resize(bytes);
}

}  // namespace

ResizePlan whole_resize(int source_height, int source_width, int height, int width,
                        Interpolation interpolation) {
  ResizePlan plan;
  plan.source_height = source_height;
  plan.source_width = source_width;
  plan.box = {0, 0, static_cast<double>(source_width), static_cast<double>(source_height)};
  plan.height = height;
  plan.width = width;
  plan.wanted = {0, 0, height, width};
  plan.interpolation = interpolation;
  return plan;
}

PixelBox Resampler::plan(const ResizePlan& plan) {
  const FloatBox box = narrowed(plan.box);
  check(plan, box);
  wanted_rows_ = plan.wanted.height;
  wanted_columns_ = plan.wanted.width;
  mirrored_ = plan.mirrored;

  const auto wide = static_cast<float>(plan.width);
  const auto high = static_cast<float>(plan.height);
  if (is_whole(box.left) && is_whole(box.top) && box.right - box.left == wide &&
      box.bottom - box.top == high) {
    horizontal_ = vertical_ = false;
    needed_ = {static_cast<int>(box.top) + plan.wanted.top,
               static_cast<int>(box.left) + plan.wanted.left, wanted_rows_, wanted_columns_};
    return needed_;
  }
  horizontal_ = plan.width != plan.source_width || box.left != 0 || box.right != wide;
  vertical_ = plan.height != plan.source_height || box.top != 0 || box.bottom != high;
  const std::int64_t height_shrinks = static_cast<std::int64_t>(plan.source_height) - plan.height;
  const std::int64_t width_shrinks = static_cast<std::int64_t>(plan.source_width) - plan.width;
  vertical_first_ =
      horizontal_ && vertical_ && height_shrinks > 0 && height_shrinks > width_shrinks * 2;

  needed_ = plan.wanted;
  if (horizontal_) {
    resample_coefficients({plan.source_width, box.left, box.right, plan.width, plan.wanted.left,
                           wanted_columns_, plan.mirrored},
                          plan.interpolation, along_x_);
    needed_.left = along_x_.begin();
    needed_.width = along_x_.end() - needed_.left;
  }
  if (vertical_) {
    resample_coefficients({plan.source_height, box.top, box.bottom, plan.height, plan.wanted.top,
                           wanted_rows_, false},
                          plan.interpolation, along_y_);
    needed_.top = along_y_.begin();
    needed_.height = along_y_.end() - needed_.top;
  }
  return needed_;
}

void Resampler::begin(const ImageView& source) {
  source_ = source;
  between_first_ = between_end_ = 0;
  const std::size_t out_bytes = padded_row_bytes(wanted_columns_);
  reserve(row_, std::max(out_bytes, padded_row_bytes(needed_.width)));
  if (!horizontal_) return;
  const int rows = vertical_ && !vertical_first_ ? needed_.height : kStrip;
  reserve(between_, static_cast<std::size_t>(rows) * out_bytes);
  if (vertical_first_) reserve(strip_, kStrip * padded_row_bytes(needed_.width));
}

const std::uint8_t* Resampler::row(int y) {
  const auto index = static_cast<std::size_t>(y);
  const std::size_t between_stride = padded_row_bytes(wanted_columns_);
  if (!horizontal_) {
    if (!vertical_) return mirror(source_.row(y));
    const int first = along_y_.first[index] - needed_.top;
    resample_kernels().vertical(source_.row(first), source_.stride,
                                static_cast<std::size_t>(needed_.width) * 3, along_y_, y,
                                row_.data());
    return mirror(row_.data());
  }
  if (vertical_first_) return vertical_first_row(y);
  if (!vertical_) {
    if (y >= between_end_) {
      between_first_ = y;
      const int rows = std::min(kStrip, wanted_rows_ - y);
      resample_kernels().horizontal({source_.row(y), source_.stride, rows, needed_.width},
                                    needed_.left, along_x_, between_.data(), scratch_);
      between_end_ = y + rows;
    }
    return between_.data() + static_cast<std::size_t>(y - between_first_) * between_stride;
  }
  const int first = along_y_.first[index] - needed_.top;
  fill_between(first + along_y_.count[index]);
  resample_kernels().vertical(between_.data() + static_cast<std::size_t>(first) * between_stride,
                              between_stride, static_cast<std::size_t>(wanted_columns_) * 3,
                              along_y_, y, row_.data());
  return row_.data();
}

/// The horizontal pass, up to row `end` of the source at least.
void Resampler::fill_between(int end) {
  const std::size_t stride = padded_row_bytes(wanted_columns_);
  while (between_end_ < end) {
    const int rows = std::min(kStrip, needed_.height - between_end_);
    resample_kernels().horizontal(
        {source_.row(between_end_), source_.stride, rows, needed_.width}, needed_.left, along_x_,
        between_.data() + static_cast<std::size_t>(between_end_) * stride, scratch_);
    between_end_ += rows;
  }
}

const std::uint8_t* Resampler::vertical_first_row(int y) {
  if (y >= between_end_) {
    between_first_ = y;
    between_end_ = std::min(y + kStrip, wanted_rows_);
    const std::size_t stride = padded_row_bytes(needed_.width);
    for (int i = y; i < between_end_; ++i) {
      const int first = along_y_.first[static_cast<std::size_t>(i)] - needed_.top;
      resample_kernels().vertical(source_.row(first), source_.stride,
                                  static_cast<std::size_t>(needed_.width) * 3, along_y_, i,
                                  strip_.data() + static_cast<std::size_t>(i - y) * stride);
    }
    resample_kernels().horizontal({strip_.data(), stride, between_end_ - y, needed_.width},
                                  needed_.left, along_x_, between_.data(), scratch_);
  }
  return between_.data() +
         static_cast<std::size_t>(y - between_first_) * padded_row_bytes(wanted_columns_);
}

/// `row` or, where a mirrored result is wanted and no horizontal pass mirrored it, its mirror image
/// in `scratch_`.
const std::uint8_t* Resampler::mirror(const std::uint8_t* row) {
  if (!mirrored_) return row;
  reserve(scratch_, static_cast<std::size_t>(wanted_columns_) * 3);
  std::uint8_t* to = scratch_.data() + static_cast<std::size_t>(wanted_columns_) * 3;
  for (int x = 0; x < wanted_columns_; ++x, row += 3) {
    to -= 3;
    std::memcpy(to, row, 3);
  }
  return scratch_.data();
}

}  // namespace casvit::dataio
