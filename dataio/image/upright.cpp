#include "dataio/image/upright.h"

#include <cstring>
#include <stdexcept>
#include <string>

namespace casvit::dataio {
namespace {

/// How the stored picture is walked through, so that the upright one comes out row by row.
struct Walk {
  bool transposed;    ///< a row of the upright picture is a column of the stored one
  bool rows_back;     ///< stored rows are taken from the last to the first
  bool columns_back;  ///< stored columns likewise
};

Walk walk_of(int orientation) {
  switch (orientation) {
    case 1:
      return {false, false, false};
    case 2:
      return {false, false, true};
    case 3:
      return {false, true, true};
    case 4:
      return {false, true, false};
    case 5:
      return {true, false, false};
    case 6:
      return {true, true, false};
    case 7:
      return {true, true, true};
    case 8:
      return {true, false, true};
    default:
      throw std::invalid_argument("there is no orientation " + std::to_string(orientation));
  }
}

}  // namespace

bool is_transposed(int orientation) { return walk_of(orientation).transposed; }

PixelBox stored_box(const PixelBox& box, int stored_height, int stored_width, int orientation) {
  const Walk walk = walk_of(orientation);
  PixelBox stored = box;
  if (walk.transposed) stored = {box.left, box.top, box.width, box.height};
  if (walk.rows_back) stored.top = stored_height - stored.top - stored.height;
  if (walk.columns_back) stored.left = stored_width - stored.left - stored.width;
  return stored;
}

Image upright(const ImageView& stored, int orientation) {
  const Walk walk = walk_of(orientation);
  Image image;
  image.height = walk.transposed ? stored.width : stored.height;
  image.width = walk.transposed ? stored.height : stored.width;
  image.pixels.resize(static_cast<std::size_t>(image.height) * image.row_bytes());
  std::uint8_t* out = image.pixels.data();
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x, out += 3) {
      int row = walk.transposed ? x : y;
      int column = walk.transposed ? y : x;
      if (walk.rows_back) row = stored.height - 1 - row;
      if (walk.columns_back) column = stored.width - 1 - column;
      std::memcpy(out, stored.row(row) + static_cast<std::size_t>(column) * 3, 3);
    }
  }
  return image;
}

}  // namespace casvit::dataio
