#pragma once

#include <string>

#include "trainer/report/evaluation.h"
#include "trainer/report/png.h"
#include "trainer/report/report.h"

namespace casvit::trainer {

/// Pictures of an evaluation, each a PNG file.
struct ValidationPictures {
  std::string confusion_matrix;
  std::string mistakes;  ///< the most confident ones; empty: there are none
};

/// @param about the data that were evaluated: class names and thumbnails
/// @throws DrawingError where librsvg is missing
ValidationPictures validation_pictures(const Evaluation& evaluation, const ReportInput& about,
                                       const PngRenderer& renderer);

}  // namespace casvit::trainer
