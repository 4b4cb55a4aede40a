#pragma once

#include <cstddef>
#include <vector>

#include "trainer/parallel/bucket_layout.h"

namespace casvit::trainer {

/// Which buckets may be exchanged, as gradients arrive.
///
/// Note: order of exchange. Collectives must be issued in the same order on every rank, but
/// gradients may arrive in another order on each. So buckets are launched strictly one after
/// another, whichever is complete first: a complete one waits for those before it.
class BucketSchedule {
 public:
  BucketSchedule() = default;
  explicit BucketSchedule(const BucketLayout& layout);

  /// A step begins: no gradient has arrived.
  void start();

  /// Buckets `begin` to `end`, without it.
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  /// A parameter's gradient is complete. @returns the buckets to launch now
  Range arrived(std::size_t parameter);
  /// No more gradients will arrive. @returns the buckets not launched yet
  Range rest();

 private:
  std::vector<std::size_t> bucket_of_;  ///< of each parameter
  std::vector<std::size_t> members_;    ///< of each bucket
  std::vector<std::size_t> missing_;    ///< of them, in this step
  std::size_t launched_ = 0;
};

}  // namespace casvit::trainer
