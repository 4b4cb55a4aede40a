#pragma once

#include "trainer/report/bootstrap.h"
#include "trainer/report/calibration.h"
#include "trainer/report/evaluation.h"

namespace casvit::trainer {

/// How good one set of weights is.
struct Judgement {
  Accuracy accuracy;
  double macro_f1 = 0;  ///< over all classes, 0 to 1
  BootstrapIntervals intervals;
  Calibration calibration;
};

}  // namespace casvit::trainer
