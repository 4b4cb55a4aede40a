#include "trainer/report/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace casvit::trainer {
namespace {

/// What counts of one picture, for one set of weights.
struct Answer {
  std::int32_t label = 0;
  std::int32_t predicted = 0;
  std::int32_t in_top = 0;
};

std::vector<Answer> answers_of(const Evaluation& evaluation) {
  std::vector<Answer> answers;
  const auto top_k = static_cast<std::size_t>(evaluation.top_k);
  for (std::size_t i = 0; i < evaluation.label.size(); ++i) {
    const std::int32_t label = evaluation.label[i];
    if (label < 0) continue;
    const auto* top = evaluation.top.data() + i * top_k;
    answers.push_back({label, top[0], std::find(top, top + top_k, label) != top + top_k ? 1 : 0});
  }
  return answers;
}

/// Counts one resample of one set of weights.
class Tally {
 public:
  explicit Tally(int classes) : counts_(static_cast<std::size_t>(classes)) {}

  void clear() {
    std::ranges::fill(counts_, Counts{});
    right_ = in_top_ = 0;
  }
  void add(const Answer& answer) {
    Counts& label = counts_[static_cast<std::size_t>(answer.label)];
    ++label.shown;
    ++counts_[static_cast<std::size_t>(answer.predicted)].shown;
    if (answer.label == answer.predicted) {
      ++label.right;
      ++right_;
    }
    in_top_ += answer.in_top;
  }
  std::int64_t right() const { return right_; }
  std::int64_t in_top() const { return in_top_; }
  int occurring() const {
    return static_cast<int>(
        std::ranges::count_if(counts_, [](const Counts& c) { return c.shown > 0; }));
  }
  double f1_over_occurring() const {
    double sum = 0;
    for (const Counts& c : counts_) {
      if (c.shown > 0) sum += 2.0 * static_cast<double>(c.right) / static_cast<double>(c.shown);
    }
    return sum / std::max(1, occurring());
  }

 private:
  struct Counts {
    std::int64_t shown = 0;  ///< true ones and predicted ones
    std::int64_t right = 0;
  };
  std::vector<Counts> counts_;
  std::int64_t right_ = 0;
  std::int64_t in_top_ = 0;
};

struct Samples {
  std::vector<double> acc1, acc5, macro_f1;
};

Interval interval_of(const std::vector<double>& values, double level) {
  if (values.empty()) return {};
  const double tail = 50 * (1 - level);
  return {percentile(values, tail), percentile(values, 100 - tail)};
}

BootstrapIntervals intervals_of(const Samples& samples, double level) {
  return {interval_of(samples.acc1, level), interval_of(samples.acc5, level),
          interval_of(samples.macro_f1, level)};
}

std::vector<double> differences(const std::vector<double>& first,
                                const std::vector<double>& second) {
  std::vector<double> out;
  out.reserve(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) out.push_back(first[i] - second[i]);
  return out;
}

/// The figures of every resample, for each evaluation; none where no label is known.
std::vector<Samples> resampled(const std::vector<const Evaluation*>& evaluations,
                               const BootstrapOptions& options) {
  std::vector<std::vector<Answer>> answers;
  std::vector<Tally> tallies;
  std::vector<double> known_share;  // of classes
  for (const Evaluation* evaluation : evaluations) {
    answers.push_back(answers_of(*evaluation));
    Tally tally(evaluation->classes);
    for (const Answer& answer : answers.back()) tally.add(answer);
    known_share.push_back(static_cast<double>(tally.occurring()) / evaluation->classes);
    tallies.push_back(std::move(tally));
  }
  const std::uint64_t n = answers.empty() ? 0 : answers[0].size();
  std::vector<Samples> samples(evaluations.size());
  if (n == 0) return samples;

  std::mt19937 random(options.seed);
  const double percent = 100 / static_cast<double>(n);
  std::vector<std::size_t> drawn(n);
  for (int resample = 0; resample < options.resamples; ++resample) {
    for (std::size_t& index : drawn) index = std::uint64_t{random()} * n >> 32U;
    for (std::size_t e = 0; e < evaluations.size(); ++e) {
      tallies[e].clear();
      for (const std::size_t index : drawn) tallies[e].add(answers[e][index]);
      samples[e].acc1.push_back(percent * static_cast<double>(tallies[e].right()));
      samples[e].acc5.push_back(percent * static_cast<double>(tallies[e].in_top()));
      samples[e].macro_f1.push_back(tallies[e].f1_over_occurring() * known_share[e]);
    }
  }
  return samples;
}

}  // namespace

double percentile(std::vector<double> values, double percent) {
  std::ranges::sort(values);
  const double place = percent / 100 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (place - std::floor(place));
}

std::vector<BootstrapIntervals> bootstrap_intervals(
    const std::vector<const Evaluation*>& evaluations, const BootstrapOptions& options) {
  std::vector<BootstrapIntervals> intervals;
  for (const Samples& one : resampled(evaluations, options)) {
    intervals.push_back(intervals_of(one, options.level));
  }
  return intervals;
}

PairedIntervals paired_intervals(const Evaluation& first, const Evaluation& second,
                                 const BootstrapOptions& options) {
  const std::vector<Samples> samples = resampled({&first, &second}, options);
  const Samples difference{differences(samples[0].acc1, samples[1].acc1),
                           differences(samples[0].acc5, samples[1].acc5),
                           differences(samples[0].macro_f1, samples[1].macro_f1)};
  return {intervals_of(samples[0], options.level), intervals_of(samples[1], options.level),
          intervals_of(difference, options.level)};
}

}  // namespace casvit::trainer
