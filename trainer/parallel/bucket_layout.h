#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace casvit::trainer {

/// How parameters (of one or several types) lie one after another in a long vector that is
/// exchanged bucket by bucket, and which of `owners` equal parts of a bucket holds each of them.
/// Parameters, gradients and moments share one layout, so that every exchange and update works in
/// place. All lengths are bytes and multiples of kAlignment.
struct BucketLayout {
  static constexpr std::int64_t kAlignment = 64;

  struct Options {
    std::int64_t bucket_bytes = 4 << 20;
    /// Less for the first bucket, so that the exchange begins early.
    std::int64_t first_bucket_bytes = 512 << 10;
    int owners = 1;  ///< ranks among which each bucket is divided, at parameters' borders
  };
  struct Parameter {
    std::int64_t bytes = 0;
    int type = 0;  ///< a bucket holds one type only
  };
  struct Bucket {
    std::int64_t begin = 0;
    std::int64_t length = 0;              ///< of all owners' parts, padding included
    std::vector<std::size_t> parameters;  ///< in the order in which they lie
    int type = 0;
  };

  std::vector<Bucket> buckets;
  std::vector<std::int64_t> offset;  ///< of each parameter
  std::vector<int> owner;            ///< of each parameter
  std::vector<std::size_t> bucket;   ///< of each parameter
  int owners = 1;
  std::int64_t length = 0;  ///< of the whole vector

  /// A bucket is closed when it has reached its size; with several owners, not before it holds
  /// four times the largest parameter for each of them, so that padding stays small.
  /// @param order the order of arrival: a permutation of the parameters
  static BucketLayout make(const std::vector<Parameter>& parameters,
                           const std::vector<std::size_t>& order, const Options& options);

  /// One owner's part of a bucket.
  std::int64_t part_length(std::size_t bucket_index) const {
    return buckets[bucket_index].length / owners;
  }
  std::int64_t part_begin(std::size_t bucket_index, int part_owner) const {
    return buckets[bucket_index].begin + part_owner * part_length(bucket_index);
  }
  /// What one owner has of the whole vector.
  std::int64_t owned_length() const { return length / owners; }
  /// Where parameter `i` begins in the vector of its owner's parts alone.
  std::int64_t owned_offset(std::size_t i) const;
};

}  // namespace casvit::trainer
