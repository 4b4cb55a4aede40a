#include "trainer/optim/lr_suggestion.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace casvit::trainer {
namespace {

constexpr double kBlownUp = 4;
constexpr std::size_t kFewest = 10;

/// First and last of the longest chain of trials, in order, of which each has a lower smoothed loss
/// than the one before it; of equally long ones that begins last, which a flat start does not
/// lengthen.
std::pair<std::size_t, std::size_t> longest_fall(const std::vector<LrTrial>& trials) {
  std::vector<std::size_t> length(trials.size(), 1);
  std::vector<std::size_t> begin(trials.size());
  std::size_t best = 0;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    begin[i] = i;
    for (std::size_t j = 0; j < i; ++j) {
      if (trials[j].smoothed > trials[i].smoothed && length[j] + 1 >= length[i]) {
        length[i] = length[j] + 1;
        begin[i] = begin[j];
      }
    }
    if (length[i] > length[best]) {
      best = i;
    }
  }
  return {begin[best], best};
}

}  // namespace

void smooth_losses(std::vector<LrTrial>& trials, double decay) {
  double mean = 0;
  double weight = 0;
  for (LrTrial& trial : trials) {
    mean = decay * mean + (1 - decay) * trial.loss;
    weight = decay * weight + (1 - decay);
    trial.smoothed = mean / weight;
  }
}

bool has_blown_up(const std::vector<LrTrial>& trials) {
  if (trials.empty() || std::isfinite(trials.back().loss)) {
    double least = INFINITY;
    for (const LrTrial& trial : trials) {
      least = std::min(least, trial.smoothed);
    }
    return trials.size() >= kFewest && trials.back().smoothed > kBlownUp * least;
  }
  return true;
}

LrSuggestion suggest_learning_rate(const std::vector<LrTrial>& all) {
  std::vector<LrTrial> trials;
  for (const LrTrial& trial : all) {
    if (std::isfinite(trial.smoothed)) {
      trials.push_back(trial);
    }
  }
  if (trials.size() < kFewest) {
    throw std::invalid_argument("a range test needs at least ten steps with a finite loss");
  }
  LrSuggestion suggestion;
  const auto [begin, end] = longest_fall(trials);
  suggestion.suggested = trials[begin + (end - begin) * 2 / 3].learning_rate;
  const auto lowest = std::ranges::min_element(trials, {}, &LrTrial::smoothed);
  suggestion.lowest_tenth = lowest->learning_rate / 10;
  double steepest = INFINITY;
  for (std::size_t i = 1; i < trials.size(); ++i) {
    const double slope = trials[i].smoothed - trials[i - 1].smoothed;
    if (slope < steepest) {
      steepest = slope;
      suggestion.steepest = trials[i].learning_rate;
    }
  }
  return suggestion;
}

}  // namespace casvit::trainer
