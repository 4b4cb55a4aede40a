#pragma once

#include <cstdint>
#include <vector>

#include "trainer/report/evaluation.h"

namespace casvit::trainer {

/// Where a figure lies.
struct Interval {
  double low = 0;
  double high = 0;
};

struct BootstrapOptions {
  int resamples = 1000;
  std::uint32_t seed = 0;
  double level = 0.95;
};

/// Of one set of weights: accuracies in percent, F1 from 0 to 1.
struct BootstrapIntervals {
  Interval acc1;
  Interval acc5;
  Interval macro_f1;
};

/// Percentile bootstrap intervals (Efron & Tibshirani, 1993, 13.3) over the pictures whose label is
/// known: the same resamples for every evaluation, which must be of the same pictures.
///
/// A resample of n pictures takes, n times, picture floor(x n / 2^32) of them, x the next number of
/// one MT19937 with the seed given (std::mt19937; numpy's RandomState is the same). The ends are
/// numpy.percentile's, interpolated linearly. In a resample the macro F1 is the mean over classes
/// that occur in it (a class that it happens to miss is no failure), scaled by the share of classes
/// that occur in the data at all, which the report's own macro average counts as 0 otherwise.
std::vector<BootstrapIntervals> bootstrap_intervals(
    const std::vector<const Evaluation*>& evaluations, const BootstrapOptions& options = {});

/// Two sets of weights on the same pictures, each with its intervals.
struct PairedIntervals {
  BootstrapIntervals first;
  BootstrapIntervals second;
  BootstrapIntervals difference;  ///< of first - second, resample by resample
};

/// Paired percentile bootstrap: in each resample both are judged on the same pictures, so that what
/// makes a picture easy or hard for both does not widen the interval of their difference.
PairedIntervals paired_intervals(const Evaluation& first, const Evaluation& second,
                                 const BootstrapOptions& options = {});

/// numpy.percentile(values, percent), method "linear". @param values at least one
double percentile(std::vector<double> values, double percent);

}  // namespace casvit::trainer
