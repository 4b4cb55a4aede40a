#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataio/image/image.h"
#include "dataio/image/jpeg/baseline_header.h"
#include "dataio/image/jpeg/kernels.h"

namespace casvit::dataio::jpeg {

/// One component of a rectangle of a picture: which of its blocks are needed, their coefficients of
/// the MCU row at hand, their samples, and how those become rows as wide as the picture's.
class ComponentPlane {
 public:
  /// @param max_horizontal, max_vertical  largest sampling factors of the picture's components
  /// @param region rectangle of the picture
  /// @returns false for sampling factors that do not divide the largest
  bool plan(const BaselineHeader& header, std::size_t component, int max_horizontal,
            int max_vertical, const PixelBox& region);

  int horizontal() const { return horizontal_; }  ///< blocks of an MCU
  int vertical() const { return vertical_; }
  /// MCU rows [first, end) that hold needed samples.
  int first_mcu_row() const { return first_row_ / (8 * vertical_); }
  int end_mcu_row() const { return (end_row_ - 1) / (8 * vertical_) + 1; }

  /// Makes room for samples of MCU rows [first, end).
  void begin(int first_mcu_row, int end_mcu_row);
  /// Zeroes the coefficients.
  void begin_mcu_row();
  /// Where the coefficients go of block `x` of the picture in row `y` of the MCU row at hand, or
  /// null where they are not needed.
  std::int16_t* block(int x, int y) {
    if (x < first_block_ || x >= end_block_) return nullptr;
    const auto index =
        static_cast<std::size_t>(y) * blocks() + static_cast<std::size_t>(x - first_block_);
    return coefficients_.data() + index * 64;
  }
  /// Turns the coefficients into samples.
  void end_mcu_row(int mcu_row, const std::uint16_t* quantization, const Kernels& kernels);

  /// Samples of row `y` of the picture, from column `left` of the planned region on; valid until
  /// the next call. kRowSlack bytes behind them are readable.
  const std::uint8_t* row(int y, const Kernels& kernels);

 private:
  enum class Upsampling { kNone, kReplicate, kHorizontal, kVertical, kBoth };

  std::size_t blocks() const { return static_cast<std::size_t>(end_block_ - first_block_); }
  /// Row `y` of samples, the nearest where the component has none; column 0 of the component.
  const std::uint8_t* samples(int y) const;
  const std::uint8_t* replicated_row(int y);
  const std::uint8_t* doubled_row(int y, const Kernels& kernels);

  Upsampling upsampling_ = Upsampling::kNone;
  int horizontal_ = 1;
  int vertical_ = 1;
  int expand_x_ = 1;  ///< pixels of the picture a sample
  int expand_y_ = 1;
  int width_ = 0;  ///< of the component, samples
  int height_ = 0;
  int left_ = 0;  ///< of the region, pixels
  int right_ = 0;
  int first_column_ = 0;  ///< needed samples
  int end_column_ = 0;
  int first_row_ = 0;
  int end_row_ = 0;
  int first_block_ = 0;  ///< needed columns of blocks
  int end_block_ = 0;
  int origin_row_ = 0;  ///< of `samples_`
  std::size_t stride_ = 0;
  std::vector<std::int16_t> coefficients_;
  std::vector<std::uint8_t> samples_;
  std::vector<std::uint16_t> wide_;
  std::vector<std::uint8_t> row_;
};

}  // namespace casvit::dataio::jpeg
