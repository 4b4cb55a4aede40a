#include "dataio/image/jpeg/component_plane.h"

#include <algorithm>

namespace casvit::dataio::jpeg {
namespace {

int divide_up(int value, int divisor) { return (value + divisor - 1) / divisor; }

template <typename T>
void reserve(std::vector<T>& buffer, std::size_t size) {
  if (buffer.size() < size) buffer.resize(size);
}

}  // namespace

bool ComponentPlane::plan(const BaselineHeader& header, std::size_t component, int max_horizontal,
                          int max_vertical, const PixelBox& region) {
  // A scan of one component has one block an MCU, whatever the factors say.
  const bool alone = header.components == 1;
  horizontal_ = alone ? 1 : header.component[component].horizontal;
  vertical_ = alone ? 1 : header.component[component].vertical;
  const int wide = alone ? 1 : max_horizontal;
  const int high = alone ? 1 : max_vertical;
  if (wide % horizontal_ != 0 || high % vertical_ != 0) return false;
  expand_x_ = wide / horizontal_;
  expand_y_ = high / vertical_;
  width_ = divide_up(header.width * horizontal_, wide);
  height_ = divide_up(header.height * vertical_, high);

  // jinit_upsampler: two columns are too few for the triangle filter.
  const bool columns_enough = width_ > 2;
  upsampling_ = Upsampling::kReplicate;
  if (expand_x_ == 1 && expand_y_ == 1) upsampling_ = Upsampling::kNone;
  if (expand_x_ == 2 && expand_y_ == 1 && columns_enough) upsampling_ = Upsampling::kHorizontal;
  if (expand_x_ == 1 && expand_y_ == 2) upsampling_ = Upsampling::kVertical;
  if (expand_x_ == 2 && expand_y_ == 2 && columns_enough) upsampling_ = Upsampling::kBoth;

  const bool smooth_x = upsampling_ == Upsampling::kHorizontal || upsampling_ == Upsampling::kBoth;
  const bool smooth_y = upsampling_ == Upsampling::kVertical || upsampling_ == Upsampling::kBoth;
  left_ = region.left;
  right_ = region.left + region.width;
  const int bottom = region.top + region.height;
  // The triangle filter reads a sample to each side.
  first_column_ = std::max(left_ / expand_x_ - (smooth_x ? 1 : 0), 0);
  end_column_ = std::min((right_ - 1) / expand_x_ + (smooth_x ? 2 : 1), width_);
  first_row_ = std::max(region.top / expand_y_ - (smooth_y ? 1 : 0), 0);
  end_row_ = std::min((bottom - 1) / expand_y_ + (smooth_y ? 2 : 1), height_);
  first_block_ = first_column_ / 8;
  end_block_ = (end_column_ - 1) / 8 + 1;
  return true;
}

void ComponentPlane::begin(int first_mcu_row, int end_mcu_row) {
  origin_row_ = first_mcu_row * vertical_ * 8;
  stride_ = blocks() * 8 + kRowSlack;
  const auto mcu_rows = static_cast<std::size_t>(end_mcu_row - first_mcu_row);
  const std::size_t rows = mcu_rows * static_cast<std::size_t>(vertical_) * 8;
  reserve(samples_, rows * stride_ + kRowSlack);
  reserve(coefficients_, static_cast<std::size_t>(vertical_) * blocks() * 64);
}

void ComponentPlane::begin_mcu_row() {
  std::fill_n(coefficients_.begin(), static_cast<std::size_t>(vertical_) * blocks() * 64,
              std::int16_t{0});
}

void ComponentPlane::end_mcu_row(int mcu_row, const std::uint16_t* quantization,
                                 const Kernels& kernels) {
  for (int y = 0; y < vertical_; ++y) {
    const auto row = static_cast<std::size_t>((mcu_row * vertical_ + y) * 8 - origin_row_);
    const std::int16_t* first = coefficients_.data() + static_cast<std::size_t>(y) * blocks() * 64;
    kernels.inverse_dct(reinterpret_cast<const Block*>(first), quantization, blocks(),
                        samples_.data() + row * stride_, stride_);
  }
}

const std::uint8_t* ComponentPlane::samples(int y) const {
  const auto row = static_cast<std::size_t>(std::clamp(y, 0, height_ - 1) - origin_row_);
  return samples_.data() + row * stride_ - static_cast<std::ptrdiff_t>(first_block_) * 8;
}

const std::uint8_t* ComponentPlane::row(int y, const Kernels& kernels) {
  switch (upsampling_) {
    case Upsampling::kNone:
      return samples(y) + left_;
    case Upsampling::kReplicate:
      return replicated_row(y);
    case Upsampling::kVertical: {
      const auto count = static_cast<std::size_t>(right_ - left_);
      reserve(wide_, count + kRowSlack);
      reserve(row_, count + 2 * kRowSlack);
      const int near = y / 2;
      kernels.rows->blend_rows(samples(near) + left_,
                               samples(y % 2 == 0 ? near - 1 : near + 1) + left_, count,
                               wide_.data());
      kernels.rows->narrow(wide_.data(), count, y % 2 == 0 ? 1 : 2, row_.data());
      return row_.data();
    }
    case Upsampling::kHorizontal:
    case Upsampling::kBoth:
      return doubled_row(y, kernels);
  }
  return nullptr;
}

const std::uint8_t* ComponentPlane::replicated_row(int y) {
  const auto count = static_cast<std::size_t>(right_ - left_);
  reserve(row_, count + kRowSlack);
  const std::uint8_t* in = samples(y / expand_y_);
  for (int x = left_; x < right_; ++x)
    row_[static_cast<std::size_t>(x - left_)] = in[x / expand_x_];
  return row_.data();
}

/// Both triangle filters: rows are blended first, at four times their value; a component's first
/// and last column count as their own neighbours, which comes to what jdsample.c does there.
const std::uint8_t* ComponentPlane::doubled_row(int y, const Kernels& kernels) {
  const int first = left_ / 2;  // samples whose pixels are made
  const auto count = static_cast<std::size_t>((right_ - 1) / 2 + 1 - first);
  const auto available = static_cast<std::size_t>(end_column_ - first_column_);
  reserve(wide_, count + 2 + kRowSlack);
  reserve(row_, 2 * count + 2 * kRowSlack);
  std::uint16_t* own = wide_.data() + 1;                 // of sample `first`
  std::uint16_t* begin = own - (first - first_column_);  // of sample first_column_
  if (upsampling_ == Upsampling::kBoth) {
    const int near = y / 2;
    const int far = y % 2 == 0 ? near - 1 : near + 1;
    kernels.rows->blend_rows(samples(near) + first_column_, samples(far) + first_column_, available,
                             begin);
  } else {
    kernels.rows->widen(samples(y) + first_column_, available, begin);
  }
  if (first == first_column_) own[-1] = own[0];
  if (end_column_ == first + static_cast<int>(count)) own[count] = own[count - 1];
  if (upsampling_ == Upsampling::kBoth) {
    kernels.rows->double_columns(own, count, 8, 7, 4, row_.data());
  } else {
    kernels.rows->double_columns(own, count, 1, 2, 2, row_.data());
  }
  return row_.data() + (left_ - 2 * first);
}

}  // namespace casvit::dataio::jpeg
