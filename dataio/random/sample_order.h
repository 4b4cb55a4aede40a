#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace casvit::dataio {

/// Which sample stands at position p of epoch e. Const and thread-safe after construction.
class SampleOrder {
 public:
  /// Every sample once an epoch, in a keyed permutation of (seed, epoch).
  static SampleOrder shuffled(std::uint64_t seed, std::uint64_t samples);
  /// Every class equally often: position p draws class p mod C of a per-round permutation, and
  /// walks each class in keyed permutations of its own. An epoch has as many positions as samples;
  /// small classes repeat, large ones are covered over several epochs.
  /// @param labels class of every sample in [0, classes). @throws UsageError for a class without
  /// one.
  static SampleOrder balanced(std::uint64_t seed, std::span<const std::int32_t> labels,
                              int classes);

  std::uint64_t samples() const { return samples_; }
  /// The sample at `position` in [0, samples()) of `epoch`.
  std::uint64_t at(std::uint64_t epoch, std::uint64_t position) const;

 private:
  SampleOrder() = default;
  std::uint64_t seed_ = 0;
  std::uint64_t samples_ = 0;
  std::vector<std::vector<std::uint64_t>> members_;  ///< balanced only: samples of each class
};

}  // namespace casvit::dataio
