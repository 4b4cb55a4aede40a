#pragma once

#include <string>
#include <vector>

#include "trainer/report/chart.h"
#include "trainer/report/chart_axes.h"

namespace casvit::trainer {

/// What stands beside the last point of a line, in pixels of the drawing.
struct ChartLabel {
  std::string text;
  double x = 0;  ///< of its left end
  double y = 0;  ///< of its middle
};

/// The labels of a chart's series, moved up and down so that those side by side can be read.
std::vector<ChartLabel> labels_of(const Chart& chart, const ChartAxes& axes);

}  // namespace casvit::trainer
