#pragma once

#include <cstdint>
#include <vector>

#include "dataio/image/image.h"
#include "dataio/image/resample_coefficients.h"
#include "dataio/image/resample_kernels.h"
#include "dataio/image/resize.h"

namespace casvit::dataio {

/// A resize of a picture of which only a part is wanted.
struct ResizePlan {
  int source_height = 0;  ///< of the whole picture
  int source_width = 0;
  Box box;         ///< the part that is resized
  int height = 0;  ///< of the whole result
  int width = 0;
  PixelBox wanted;        ///< of the result
  bool mirrored = false;  ///< wanted columns come last first
  Interpolation interpolation = Interpolation::kBicubic;
};

/// The plan of a resize of a whole picture of which the whole result is wanted.
ResizePlan whole_resize(int source_height, int source_width, int height, int width,
                        Interpolation interpolation);

/// Resizes row by row, on demand, in buffers that are reused from picture to picture. Equal to
/// `resize` bit for bit, whatever part is wanted. One a thread.
class Resampler {
 public:
  /// @returns the part of the source that `begin` needs.
  /// @throws UsageError for a result without pixels or a box that is empty or not in the source.
  PixelBox plan(const ResizePlan& plan);

  /// Whether the plan changes pixels: otherwise `row` only hands on (or mirrors) what is there.
  bool resizes() const { return horizontal_ || vertical_; }

  /// @param source what `plan` returned of the picture; it must outlive the calls of `row`.
  void begin(const ImageView& source);

  /// Row `y` of what is wanted, `[wanted.width, 3]`, valid until the next call. Rows are asked for
  /// from the top.
  const std::uint8_t* row(int y);

 private:
  void fill_between(int end);
  const std::uint8_t* vertical_first_row(int y);
  const std::uint8_t* mirror(const std::uint8_t* row);

  bool horizontal_ = false;
  bool vertical_ = false;
  bool vertical_first_ = false;
  bool mirrored_ = false;
  PixelBox needed_;
  int wanted_rows_ = 0;
  int wanted_columns_ = 0;
  ResampleCoefficients along_x_;
  ResampleCoefficients along_y_;
  ImageView source_;
  std::vector<std::uint8_t> between_;  ///< rows after the first pass
  int between_first_ = 0;              ///< the row that `between_` begins with
  int between_end_ = 0;                ///< rows [between_first_, between_end_) are there
  std::vector<std::uint8_t> strip_;    ///< of the vertical pass, where that comes first
  std::vector<std::uint8_t> row_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace casvit::dataio
