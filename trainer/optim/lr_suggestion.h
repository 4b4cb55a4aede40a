#pragma once

#include <cstddef>
#include <vector>

namespace casvit::trainer {

/// One step of a learning-rate range test.
struct LrTrial {
  double learning_rate = 0;
  double loss = 0;      ///< of the step
  double smoothed = 0;  ///< running mean, see smooth_losses
};

/// Fills in `smoothed`: an exponential mean whose start counts for nothing.
/// @param decay weight of what came before, in [0, 1)
void smooth_losses(std::vector<LrTrial>& trials, double decay);

/// Whether a test has gone far enough: its last loss is not finite, or its smoothed one is four
/// times the least so far.
bool has_blown_up(const std::vector<LrTrial>& trials);

struct LrSuggestion {
  double suggested = 0;     ///< two thirds down the longest fall (after fastai's "valley")
  double steepest = 0;      ///< where the smoothed loss falls fastest
  double lowest_tenth = 0;  ///< a tenth of where it is least
};

/// What the smoothed losses of a range test (Smith, "Cyclical Learning Rates for Training Neural
/// Networks", arXiv:1506.01186, section 3.3) speak for. Trials by rising learning rate, in equal
/// ratios; the last ones may have blown up. @throws std::invalid_argument for fewer than ten
LrSuggestion suggest_learning_rate(const std::vector<LrTrial>& all);

}  // namespace casvit::trainer
