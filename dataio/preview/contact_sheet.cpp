#include "dataio/preview/contact_sheet.h"

#include <algorithm>
#include <cmath>

#include "dataio/error.h"
#include "dataio/preview/fitted.h"
#include "dataio/preview/lettering.h"

namespace casvit::dataio {
namespace {

constexpr int kMargin = 8;
constexpr int kMostPixels = 32767;
constexpr int kLargeLettersFrom = 160;  ///< side of a cell from which letters are doubled
constexpr std::uint8_t kPaper = 250;
constexpr Colour kInk{40, 40, 40};
constexpr Colour kSoftInk{110, 110, 110};

void paste(const Image& picture, Image& sheet, int x, int y) {
  for (int row = 0; row < picture.height; ++row) {
    std::copy_n(picture.row(row), picture.row_bytes(),
                sheet.row(y + row) + static_cast<std::ptrdiff_t>(x) * 3);
  }
}

Image blank_sheet(std::int64_t height, std::int64_t width) {
  if (height > kMostPixels || width > kMostPixels) {
    throw UsageError("the sheet would have " + std::to_string(width) + " x " +
                     std::to_string(height) + " pixels; ask for fewer pictures");
  }
  Image sheet;
  sheet.height = static_cast<int>(height);
  sheet.width = static_cast<int>(width);
  sheet.pixels.assign(static_cast<std::size_t>(height * width) * 3, kPaper);
  return sheet;
}

}  // namespace

Image contact_sheet(const std::string& title, const std::vector<std::vector<SheetCell>>& rows,
                    int side) {
  const int scale = side >= kLargeLettersFrom ? 2 : 1;
  std::size_t columns = 1;
  std::size_t lines = 0;
  for (const auto& row : rows) {
    columns = std::max(columns, row.size());
    for (const SheetCell& cell : row) lines = std::max(lines, cell.lines.size());
  }
  const int text_height = static_cast<int>(lines) * line_height(scale);
  const int step_down = side + kMargin / 2 + text_height + kMargin;
  const int top = kMargin + line_height(scale) + kMargin;
  Image sheet = blank_sheet(top + static_cast<std::int64_t>(rows.size()) * step_down,
                            kMargin + static_cast<std::int64_t>(columns) * (side + kMargin));
  draw_text(sheet, kMargin, kMargin,
            fit_text(plain_letters(title), sheet.width - 2 * kMargin, scale), kInk, scale);
  int y = top;
  for (const auto& row : rows) {
    int x = kMargin;
    for (const SheetCell& cell : row) {
      const Image picture = fitted(cell.picture, side);
      paste(picture, sheet, x + (side - picture.width) / 2, y + (side - picture.height) / 2);
      int line_top = y + side + kMargin / 2;
      for (std::size_t i = 0; i < cell.lines.size(); ++i, line_top += line_height(scale)) {
        const std::string line = plain_letters(cell.lines[i]);
        const int fitting_scale = text_width(line, scale) <= side ? scale : 1;
        draw_text(sheet, x, line_top, fit_text(line, side, fitting_scale), i == 0 ? kInk : kSoftInk,
                  fitting_scale);
      }
      x += side + kMargin;
    }
    y += step_down;
  }
  return sheet;
}

Image denormalized(std::span<const float> pixels, int size, const Normalization& normalization) {
  Image image;
  image.height = image.width = size;
  image.pixels.reserve(pixels.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const float value = (pixels[i] * normalization.std[i % 3] + normalization.mean[i % 3]) * 255.0F;
    image.pixels.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 255.0F))));
  }
  return image;
}

}  // namespace casvit::dataio
