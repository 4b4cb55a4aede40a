#pragma once

#include <span>
#include <string>
#include <vector>

#include "dataio/augment/transform.h"
#include "dataio/image/image.h"

namespace casvit::dataio {

/// A picture of a contact sheet and the lines that stand below it (UTF-8).
struct SheetCell {
  Image picture;
  std::vector<std::string> lines;
};

/// Lays cells out row by row below a title. Pictures larger than `side` pixels are shrunk to fit,
/// smaller ones stay as they are; lines that are too long are written smaller, then cut off.
/// @throws UsageError where the sheet would have more than 32767 pixels a side.
Image contact_sheet(const std::string& title, const std::vector<std::vector<SheetCell>>& rows,
                    int side);

/// What an augmented picture looks like: the inverse of normalization, rounded, cut off at 0 and
/// 255. @param pixels `[size, size, 3] float32`
Image denormalized(std::span<const float> pixels, int size, const Normalization& normalization);

}  // namespace casvit::dataio
