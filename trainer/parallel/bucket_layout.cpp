#include "trainer/parallel/bucket_layout.h"

#include <algorithm>
#include <map>
#include <utility>

namespace casvit::trainer {
namespace {

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + BucketLayout::kAlignment - 1) / BucketLayout::kAlignment *
         BucketLayout::kAlignment;
}

/// Deals a bucket's parameters to owners, the largest first, each to whoever has least.
/// @returns the bytes that the fullest owner got
std::int64_t deal(const std::vector<BucketLayout::Parameter>& parameters,
                  const std::vector<std::size_t>& members, std::vector<int>& owner_of, int owners) {
  std::vector<std::size_t> largest_first = members;
  std::stable_sort(largest_first.begin(), largest_first.end(), [&](std::size_t a, std::size_t b) {
    return parameters[a].bytes > parameters[b].bytes;
  });
  std::vector<std::int64_t> loads(static_cast<std::size_t>(owners), 0);
  for (const std::size_t i : largest_first) {
    const auto least = std::min_element(loads.begin(), loads.end());
    owner_of[i] = static_cast<int>(least - loads.begin());
    *least += aligned(parameters[i].bytes);
  }
  return *std::max_element(loads.begin(), loads.end());
}

/// Appends a bucket of `members` to the layout.
void close_bucket(BucketLayout& layout, const std::vector<BucketLayout::Parameter>& parameters,
                  std::vector<std::size_t> members) {
  BucketLayout::Bucket bucket;
  bucket.type = parameters[members.front()].type;
  bucket.begin = layout.length;
  const std::int64_t part = deal(parameters, members, layout.owner, layout.owners);
  bucket.length = part * layout.owners;
  std::vector<std::int64_t> next;
  for (int owner = 0; owner < layout.owners; ++owner) {
    next.push_back(bucket.begin + owner * part);
  }
  for (const std::size_t i : members) {
    auto& place = next[static_cast<std::size_t>(layout.owner[i])];
    layout.offset[i] = std::exchange(place, place + aligned(parameters[i].bytes));
    layout.bucket[i] = layout.buckets.size();
  }
  std::stable_sort(members.begin(), members.end(), [&](std::size_t a, std::size_t b) {
    return layout.offset[a] < layout.offset[b];
  });
  bucket.parameters = std::move(members);
  layout.length += bucket.length;
  layout.buckets.push_back(std::move(bucket));
}

}  // namespace

BucketLayout BucketLayout::make(const std::vector<Parameter>& parameters,
                                const std::vector<std::size_t>& order, const Options& options) {
  BucketLayout layout;
  layout.owners = options.owners;
  layout.offset.resize(parameters.size());
  layout.owner.resize(parameters.size());
  layout.bucket.resize(parameters.size());
  std::int64_t largest = 0;
  for (const Parameter& parameter : parameters) {
    largest = std::max(largest, aligned(parameter.bytes));
  }
  const std::int64_t least = options.owners > 1 ? 4 * options.owners * largest : 1;

  struct Open {
    std::vector<std::size_t> members;
    std::int64_t bytes = 0;
  };
  std::map<int, Open> open_of_type;
  for (const std::size_t i : order) {
    Open& open = open_of_type[parameters[i].type];
    open.members.push_back(i);
    open.bytes += aligned(parameters[i].bytes);
    const std::int64_t wanted =
        layout.buckets.empty() ? options.first_bucket_bytes : options.bucket_bytes;
    if (open.bytes >= std::max(wanted, least)) {
      close_bucket(layout, parameters, std::exchange(open, {}).members);
    }
  }
  for (auto& [type, open] : open_of_type) {
    if (!open.members.empty()) {
      close_bucket(layout, parameters, std::move(open.members));
    }
  }
  return layout;
}

std::int64_t BucketLayout::owned_offset(std::size_t i) const {
  // The buckets before this one gave each owner begin / owners bytes.
  return buckets[bucket[i]].begin / owners + offset[i] - part_begin(bucket[i], owner[i]);
}

}  // namespace casvit::trainer
