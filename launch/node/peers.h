#pragma once

#include <vector>

#include "launch/node/window.h"

namespace casvit::launch {

/// The other ranks of the node that something is still expected of, by local rank; from the one
/// after this on, so that not all read from the same one at first.
class PendingPeers {
 public:
  explicit PendingPeers(const NodeWindow& window) : window_(window) { reset(); }

  void reset() {
    local_ranks_.clear();
    for (int step = 1; step < window_.local_size(); ++step) {
      local_ranks_.push_back((window_.local_rank() + step) % window_.local_size());
    }
  }

  /// Strikes those off for whom `came` is true; true when nobody is left.
  template <typename Came>
  bool strike(Came came) {
    std::erase_if(local_ranks_, came);
    return local_ranks_.empty();
  }

  /// By their rank among all.
  std::vector<int> ranks() const {
    std::vector<int> ranks;
    ranks.reserve(local_ranks_.size());
    for (const int local : local_ranks_) {
      ranks.push_back(window_.ranks()[static_cast<std::size_t>(local)]);
    }
    return ranks;
  }

 private:
  const NodeWindow& window_;
  std::vector<int> local_ranks_;
};

}  // namespace casvit::launch
