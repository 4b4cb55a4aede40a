#pragma once

#include <string>
#include <vector>

#include "trainer/report/report.h"

namespace casvit::trainer {

/// Seedling species, as many as 12.
std::vector<std::string> species();

/// Plausible answers of a model that is right about as often as `skill`; the same every time.
Evaluation made_up_evaluation(int classes, int samples, double skill, unsigned seed);

/// When a made-up history begins, seconds since 1970.
constexpr double kMadeUpStart = 1.8e9;

/// A PNG of one grey pixel.
std::string one_pixel_png();

/// A plausible training of `epochs`.
History made_up_history(int epochs, int steps_per_epoch);

/// A whole report's input: 12 species, model and EMA, 40 epochs.
ReportInput made_up_report();

}  // namespace casvit::trainer
