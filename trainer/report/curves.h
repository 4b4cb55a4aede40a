#pragma once

#include <string>
#include <vector>

#include "trainer/report/chart.h"
#include "trainer/report/metrics.h"

namespace casvit::trainer {

/// Loss, top-1 accuracy, learning rate and images per second over epochs (over steps until the
/// first epoch is complete). Long runs are drawn as means and spreads of a few hundred bins.
std::vector<Chart> training_charts(const History& history);

/// curves.svg: the charts side by side, two in a row, light or dark as the reader prefers.
std::string curves_svg(const History& history);

}  // namespace casvit::trainer
