#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace casvit::dataio {

/// A rectangle of whole pixels.
struct PixelBox {
  int top = 0, left = 0, height = 0, width = 0;

  bool operator==(const PixelBox&) const = default;

  /// Whether it lies in a picture of this size and holds pixels.
  bool is_inside(int picture_height, int picture_width) const {
    return top >= 0 && left >= 0 && height > 0 && width > 0 && height <= picture_height - top &&
           width <= picture_width - left;
  }
};

/// An RGB picture: `pixels` is `[height, width, 3] uint8`, row-major, no padding.
struct Image {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;

  std::size_t row_bytes() const { return static_cast<std::size_t>(width) * 3; }
  std::uint8_t* row(int y) { return pixels.data() + static_cast<std::size_t>(y) * row_bytes(); }
  const std::uint8_t* row(int y) const {
    return pixels.data() + static_cast<std::size_t>(y) * row_bytes();
  }
};

/// Pixels owned by someone else, as in Image but with rows `stride` bytes apart: an Image, or a
/// rectangle of one.
struct ImageView {
  const std::uint8_t* pixels = nullptr;
  int height = 0;
  int width = 0;
  std::size_t stride = 0;  ///< bytes from one row to the next

  ImageView() = default;
  ImageView(const Image& image)  // NOLINT(google-explicit-constructor): every Image is viewable
      : pixels(image.pixels.data()),
        height(image.height),
        width(image.width),
        stride(image.row_bytes()) {}

  const std::uint8_t* row(int y) const { return pixels + static_cast<std::size_t>(y) * stride; }

  /// The rectangle of `rows` x `columns` at (top, left), which must lie inside.
  ImageView crop(int top, int left, int rows, int columns) const {
    ImageView part = *this;
    part.pixels = row(top) + static_cast<std::size_t>(left) * 3;
    part.height = rows;
    part.width = columns;
    return part;
  }
};

}  // namespace casvit::dataio
