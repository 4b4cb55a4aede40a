#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/report/chart.h"
#include "trainer/report/evaluation.h"

namespace casvit::trainer {

/// The answers given with a confidence in (low, high]; the first bin has 0 too.
struct CalibrationBin {
  double low = 0;
  double high = 0;
  std::int64_t count = 0;
  double confidence = 0;  ///< mean probability of the answer; 0 where there is none
  double accuracy = 0;    ///< share of right answers, 0 to 1
};

/// Whether a model is as often right as it says.
struct Calibration {
  std::vector<CalibrationBin> bins;
  double ece = 0;  ///< expected calibration error, 0 to 1
};

/// Bins of equal width over the probability of the first answer, and the expected calibration error
/// (Guo et al., 2017, equation 3). Pictures without a label are left out.
Calibration calibration_of(const Evaluation& evaluation, int bins = 15);

/// Accuracy over confidence with the diagonal, and how many answers fall in each bin.
std::vector<Chart> reliability_charts(const Calibration& calibration);

/// calibration.csv: `low,high,count,confidence,accuracy`.
std::string calibration_csv(const Calibration& calibration);

}  // namespace casvit::trainer
