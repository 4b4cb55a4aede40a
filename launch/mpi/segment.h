#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "launch/mpi/pieces.h"

namespace casvit::launch {

/// Part `index` of `count` things in `parts` parts that differ by one at most.
struct Segment {
  std::size_t begin;
  std::size_t length;
};

inline Segment segment(std::size_t count, int parts, int index) {
  const auto n = static_cast<std::size_t>(parts);
  const auto i = static_cast<std::size_t>(index);
  const std::size_t base = count / n;
  const std::size_t extra = count % n;
  return {i * base + std::min(i, extra), base + (i < extra ? 1 : 0)};
}

/// The other ranks, starting after this one, so that not all ranks send to the same one at first.
inline std::vector<int> peers_of(const PieceContext& context) {
  std::vector<int> peers;
  peers.reserve(static_cast<std::size_t>(context.size));
  for (int step = 1; step < context.size; ++step) {
    peers.push_back((context.rank + step) % context.size);
  }
  return peers;
}

/// Note: tags. Messages between two ranks with one tag arrive in the order they were sent, and
/// every rank starts pieces in the same order. But a rank may be in the second phase of one piece
/// before another has begun the first phase of the next, so phases and pieces need tags of their
/// own. Far fewer are in flight (Pipeline::kWindow) than there are tags here; 32767 is what MPI
/// promises.
inline int tag_of(std::size_t sequence, int phase) {
  constexpr std::size_t kTagCycle = 8192;
  return static_cast<int>(sequence % kTagCycle) * 2 + phase;
}

}  // namespace casvit::launch
