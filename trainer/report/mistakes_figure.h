#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "trainer/report/mistakes.h"
#include "trainer/report/report.h"

namespace casvit::trainer {

/// Mistakes side by side as an SVG file: each with its picture, the true class, and what it was
/// taken for, with probabilities. Nothing where there are none.
/// @param classes names. @param thumbnail as in ReportInput
std::string mistakes_svg(std::span<const Mistake> mistakes, const std::vector<std::string>& classes,
                         const std::function<Thumbnail(std::uint64_t sample)>& thumbnail);

}  // namespace casvit::trainer
