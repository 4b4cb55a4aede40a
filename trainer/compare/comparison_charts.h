#pragma once

#include <vector>

#include "trainer/compare/run_comparison.h"
#include "trainer/report/chart.h"

namespace casvit::trainer {

/// What the x axis counts.
enum class Progression { kEpochs, kSteps };

/// The curves of the first kMostRunsDrawn runs over each other, each labelled with its number:
/// training loss, validation loss and top-1 accuracy (of the EMA where a run has one), learning
/// rate, images per second. Runs that have nothing for a chart are not in it, and charts without
/// runs are left out; by epochs, so are runs whose first epoch is not complete.
std::vector<Chart> comparison_charts(const RunComparison& comparison, Progression progression);

}  // namespace casvit::trainer
