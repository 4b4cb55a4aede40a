#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace casvit::dataio {

/// What a stream of random numbers is for; part of the key, so that operations never share draws.
/// The values are part of what a seed means: never renumber.
enum class RandomUse : std::uint32_t {
  kSampleOrder = 1,
  kRandomResizedCrop = 2,
  kHorizontalFlip = 3,
  kVerticalFlip = 4,
  kColorJitter = 5,
  kCutout = 6,
  kRandAugment = 7,
  kMixup = 8,
  kDropPath = 9,
  kInitialisation = 10,
  kBalancedOrder = 11,
  kSplit = 12,
  kBootstrap = 13,
  kThreeAugment = 14,
  kRandomErasing = 15,
  kInterpolation = 16,
  kMultiScale = 17,
  kReplacement = 20,
};

/// Counter-based random numbers (Philox4x32-10; Salmon et al., "Parallel random numbers: as easy as
/// 1, 2, 3", SC11). A stream is a pure function of (seed, use, a, b): threads, ranks and restarts
/// cannot change it. Cheap to construct; not shared between threads.
class CounterRng {
 public:
  /// `a` and `b` are e.g. (epoch, sample) for augmentation or (step, shard) for mixup.
  CounterRng(std::uint64_t seed, RandomUse use, std::uint64_t a, std::uint64_t b);

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high);
  /// Uniform integer in [0, n), unbiased (Lemire). n > 0.
  std::uint64_t below(std::uint64_t n);
  /// Standard normal (Box-Muller, one value a pair of draws).
  double normal();
  /// Standard normal values of float32 precision (Box-Muller, both values of a pair of draws).
  void fill_normal(std::span<float> values);
  /// Beta(alpha, beta), alpha, beta > 0, through two gamma variates (Marsaglia and Tsang, 2000).
  double beta(double alpha, double beta);

 private:
  double log_gamma_variate(double shape);

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

/// One Philox4x32-10 block, for tests against the published vectors.
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key);

}  // namespace casvit::dataio
