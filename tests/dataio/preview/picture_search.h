#pragma once

#include <algorithm>
#include <cstddef>

#include "dataio/image/image.h"

namespace casvit::dataio {

/// Whether `picture` stands somewhere in `sheet`, pixel for pixel.
inline bool holds(const Image& sheet, const Image& picture) {
  for (int y = 0; y + picture.height <= sheet.height; ++y) {
    for (int x = 0; x + picture.width <= sheet.width; ++x) {
      bool same = true;
      for (int row = 0; same && row < picture.height; ++row) {
        same = std::equal(picture.row(row), picture.row(row) + picture.row_bytes(),
                          sheet.row(y + row) + static_cast<std::ptrdiff_t>(x) * 3);
      }
      if (same) return true;
    }
  }
  return false;
}

}  // namespace casvit::dataio
