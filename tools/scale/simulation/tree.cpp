#include <mpi.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "tools/scale/simulation/collectives.h"

namespace casvit::scale {
namespace {

struct Neighbours {
  std::optional<int> parent;  ///< none: the root
  std::vector<int> children;
};

/// A node's neighbours in a binary tree.
struct Place {
  int parent = -1;
  std::vector<int> children;
};

/// Node 0 is the root, with one child. The others form a binary tree numbered from left to right,
/// so that the level of a node is the place of its lowest bit: odd nodes are leaves.
Place place_in_tree(int nodes, int node) {
  const auto next_power = [nodes] {
    int power = 1;
    while (2 * power < nodes) power *= 2;
    return power;
  };
  Place place;
  if (node == 0) {
    if (nodes > 1) place.children.push_back(next_power());
    return place;
  }
  const int bit = node & -node;
  place.parent = (node ^ bit) | (2 * bit);
  if (place.parent >= nodes) place.parent = node ^ bit;
  if (bit > 1) place.children.push_back(node - bit / 2);
  // The right subtree may lack its upper levels.
  for (int below = bit / 2; below > 0; below /= 2) {
    if (node + below < nodes) {
      place.children.push_back(node + below);
      break;
    }
  }
  return place;
}

/// The second tree is the first one shifted by a node, so that inner nodes become leaves.
int shifted(int node, int nodes, int by) { return ((node + by) % nodes + nodes) % nodes; }

/// The ranks of a node form a chain whose head is its place in the tree; each tree has another
/// head.
Neighbours neighbours_of(const std::vector<std::vector<int>>& nodes, int rank, int tree) {
  const auto count = static_cast<int>(nodes.size());
  int node = 0;
  while (std::find(nodes[static_cast<std::size_t>(node)].begin(),
                   nodes[static_cast<std::size_t>(node)].end(),
                   rank) == nodes[static_cast<std::size_t>(node)].end()) {
    ++node;
  }
  const auto head_of = [&](int index) {
    const std::vector<int>& ranks = nodes[static_cast<std::size_t>(index)];
    return ranks[ranks.size() / 2 * static_cast<std::size_t>(tree) % ranks.size()];
  };
  const std::vector<int>& ranks = nodes[static_cast<std::size_t>(node)];
  const auto size = ranks.size();
  const auto at =
      static_cast<std::size_t>(std::find(ranks.begin(), ranks.end(), rank) - ranks.begin());
  const std::size_t head = size / 2 * static_cast<std::size_t>(tree) % size;
  const std::size_t depth = (at + size - head) % size;
  Neighbours result;
  if (depth + 1 < size) result.children.push_back(ranks[(at + 1) % size]);
  if (depth > 0) {
    result.parent = ranks[(at + size - 1) % size];
    return result;
  }
  const Place place = place_in_tree(count, shifted(node, count, -tree));
  if (place.parent >= 0) result.parent = head_of(shifted(place.parent, count, tree));
  for (const int child : place.children) {
    result.children.push_back(head_of(shifted(child, count, tree)));
  }
  return result;
}

/// Chunks that pass through this rank in one direction of one tree. Several are under way, so that
/// one's latency passes while another's bytes do.
class Lane {
 public:
  struct End {
    std::vector<int> ranks;
    int tag = 0;
  };

  Lane(End from, End to, std::byte* buffer, std::int64_t bytes)
      : from_(std::move(from)),
        to_(std::move(to)),
        buffer_(buffer),
        bytes_(bytes),
        chunk_(tree_chunk_bytes(bytes)) {
    for (int i = 0; i < kUnderWay; ++i) receive_next();
  }

  /// Passes on what has come in.
  void advance(std::vector<MPI_Request>& sends) {
    while (!under_way_.empty() && is_complete(under_way_.front())) {
      under_way_.pop_front();
      const std::int64_t length = chunk_at(sent_);
      for (const int target : to_.ranks) {
        sends.push_back(MPI_REQUEST_NULL);
        MPI_Isend(buffer_, static_cast<int>(length), MPI_BYTE, target, to_.tag, MPI_COMM_WORLD,
                  &sends.back());
      }
      sent_ += length;
      receive_next();
    }
  }

  /// Adds the requests on which the next chunk waits.
  void wait_for(std::vector<MPI_Request*>& requests) {
    if (under_way_.empty()) return;
    for (MPI_Request& request : under_way_.front()) {
      if (request != MPI_REQUEST_NULL) requests.push_back(&request);
    }
  }

 private:
  static constexpr int kUnderWay = 4;

  static bool is_complete(const std::vector<MPI_Request>& receives) {
    return std::all_of(receives.begin(), receives.end(),
                       [](MPI_Request request) { return request == MPI_REQUEST_NULL; });
  }
  std::int64_t chunk_at(std::int64_t begin) const { return std::min(chunk_, bytes_ - begin); }

  void receive_next() {
    const std::int64_t length = chunk_at(posted_);
    if (length == 0) return;
    std::vector<MPI_Request>& receives = under_way_.emplace_back();
    for (const int source : from_.ranks) {
      receives.push_back(MPI_REQUEST_NULL);
      MPI_Irecv(buffer_, static_cast<int>(length), MPI_BYTE, source, from_.tag, MPI_COMM_WORLD,
                &receives.back());
    }
    posted_ += length;
  }

  End from_, to_;
  std::byte* buffer_;
  std::int64_t bytes_, chunk_;
  std::int64_t posted_ = 0;
  std::int64_t sent_ = 0;
  std::deque<std::vector<MPI_Request>> under_way_;
};

}  // namespace

std::int64_t tree_chunk_bytes(std::int64_t bytes) {
  constexpr std::int64_t kLeast = 16 << 10;
  constexpr std::int64_t kMost = 512 << 10;
  constexpr std::int64_t kChunks = 16;
  return std::clamp((bytes + kChunks - 1) / kChunks, kLeast, kMost);
}

void tree_all_reduce(const std::vector<std::vector<int>>& nodes, int rank, std::byte* buffer,
                     std::int64_t bytes) {
  std::deque<Lane> lanes;
  for (int tree = 0; tree < 2; ++tree) {
    const std::int64_t half = tree == 0 ? bytes - bytes / 2 : bytes / 2;
    const Neighbours around = neighbours_of(nodes, rank, tree);
    const int up = 2 * tree;
    const int down = up + 1;
    if (around.parent) {
      lanes.emplace_back(Lane::End{around.children, up}, Lane::End{{*around.parent}, up}, buffer,
                         half);
      lanes.emplace_back(Lane::End{{*around.parent}, down}, Lane::End{around.children, down},
                         buffer, half);
    } else {  // at the root what came up goes down at once
      lanes.emplace_back(Lane::End{around.children, up}, Lane::End{around.children, down}, buffer,
                         half);
    }
  }
  std::vector<MPI_Request> sends;
  while (true) {
    std::vector<MPI_Request*> waiting;
    for (Lane& lane : lanes) {
      lane.advance(sends);
      lane.wait_for(waiting);
    }
    if (waiting.empty()) break;
    std::vector<MPI_Request> pending;
    for (const MPI_Request* request : waiting) pending.push_back(*request);
    int which = 0;
    MPI_Waitany(static_cast<int>(pending.size()), pending.data(), &which, MPI_STATUS_IGNORE);
    *waiting[static_cast<std::size_t>(which)] = MPI_REQUEST_NULL;
  }
  MPI_Waitall(static_cast<int>(sends.size()), sends.data(), MPI_STATUSES_IGNORE);
}

}  // namespace casvit::scale
