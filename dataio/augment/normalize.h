#pragma once

#include <cstddef>
#include <cstdint>

#include "dataio/augment/transform.h"
#include "dataio/image/image.h"

namespace casvit::dataio {

struct Mirror {
  bool horizontally = false;
  bool vertically = false;
};

/// (x / 255 - mean) / std in float32, equal to torchvision's ToTensor and Normalize bit for bit.
class Normalizer {
 public:
  static constexpr std::size_t kStepPixels = 8;  ///< that the vectorised loop takes at once
  static constexpr std::size_t kStepFloats = 3 * kStepPixels;

  /// The constants of a step's values: means, and reciprocals of std in two parts.
  struct StepConstants {
    float mean[kStepFloats];
    float high[kStepFloats];
    float low[kStepFloats];
  };

  explicit Normalizer(const Normalization& normalization);

  const Normalization& normalization() const { return normalization_; }

  /// `pixels` pixels of a row, mirrored on the way if asked. Other threads may read the results
  /// after `finish`. @param out `[pixels, 3]`; aligned to 32 bytes it is written past the cache,
  /// which a batch does not fit in
  void row(const std::uint8_t* in, std::size_t pixels, bool mirrored, float* out) const;

  /// Call after the last row: results become visible to other threads in order.
  static void finish();

  /// `row` by table, on any processor.
  void row_portable(const std::uint8_t* in, std::size_t pixels, bool mirrored, float* out) const;

  /// Whether the vectorised arithmetic gives the table's bits for all 256 values of each channel
  /// (checked when constructed); `row` goes by the table otherwise.
  bool vectorised() const { return vectorised_; }

 private:
  void row_vectorised(const std::uint8_t* in, std::size_t pixels, bool mirrored, float* out) const;

  Normalization normalization_;
  float table_[3][256];  // a channel has only 256 results
  StepConstants step_{};
  bool vectorised_ = false;
};

/// Normalizes a picture. @param out `[height, width, 3]`
void normalize(const ImageView& image, const Normalizer& normalizer, Mirror mirror, float* out);
void normalize(const ImageView& image, const Normalization& normalization, Mirror mirror,
               float* out);

}  // namespace casvit::dataio
