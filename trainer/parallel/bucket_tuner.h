#pragma once

#include <cstdint>
#include <vector>

namespace casvit::trainer {

/// Finds the bucket size with which steps are shortest, by trying some in the first steps. The
/// result does not depend on it: sums are taken element by element.
class BucketTuner {
 public:
  /// Steps measured with each size, after one that is not.
  static constexpr int kMeasured = 3;
  /// By how much another size must be faster than the default to be taken: less is noise.
  static constexpr double kWorthwhile = 0.02;
  static constexpr std::int64_t kDefaultBytes = 4 << 20;

  /// Nothing to find: the size is this.
  static BucketTuner fixed(std::int64_t bucket_bytes);
  /// @param gradient_bytes all of them: a bucket of more is not tried
  explicit BucketTuner(std::int64_t gradient_bytes);

  bool done() const { return trial_ >= candidates_.size(); }
  /// The size to be used now: under trial, or found.
  std::int64_t bucket_bytes() const { return done() ? best_ : candidates_[trial_]; }

  /// Takes the time of a step with `bucket_bytes()`. Ranks that make the same calls end trials
  /// together, but may find different sizes: rank 0's is to count.
  /// @param seconds per unit of work, where steps differ in size
  /// @returns whether a trial ended with this step: `bucket_bytes()` may be another now
  bool record(double seconds);

 private:
  BucketTuner() = default;
  void choose();

  std::vector<std::int64_t> candidates_;
  std::vector<double> fastest_;  ///< step with each
  std::size_t trial_ = 0;
  int steps_ = 0;  ///< with the one under trial
  std::int64_t best_ = kDefaultBytes;
};

}  // namespace casvit::trainer
