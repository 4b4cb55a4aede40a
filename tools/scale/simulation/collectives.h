#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Collectives as NCCL does them, written in MPI and run by SMPI. What travels has no content: the
// buffer is shared by all ranks and SMPI copies nothing.

namespace casvit::scale {

/// Where a rank is among those that take part.
struct Group {
  std::vector<int> members;  ///< ranks, in ring order
  int place = 0;             ///< of this rank in `members`

  int size() const { return static_cast<int>(members.size()); }
  int member(int at) const {
    return members[static_cast<std::size_t>((at % size() + size()) % size())];
  }
};

/// `buffer` holds at least `bytes` anywhere below; calls block, with all members taking part.

/// Each member ends with one of `size` parts: size - 1 steps.
void ring_reduce_scatter(const Group& group, std::byte* buffer, std::int64_t bytes);
/// Each member's part goes round: size - 1 steps.
void ring_all_gather(const Group& group, std::byte* buffer, std::int64_t bytes);
/// One after the other.
void ring_all_reduce(const Group& group, std::byte* buffer, std::int64_t bytes);

/// Two binary trees over nodes, each with half of the bytes, such that nearly every node is a leaf
/// in one of them (Sanders, Speck and Traeff, "Two-tree algorithms for full bandwidth broadcast,
/// reduction and scan", 2009); ranks of a node form a chain. In chunks, up and down at once.
/// @param nodes ranks by node @param rank this one
void tree_all_reduce(const std::vector<std::vector<int>>& nodes, int rank, std::byte* buffer,
                     std::int64_t bytes);

/// Within nodes, then across nodes between ranks with the same place in theirs, then within nodes.
/// @param nodes of equal sizes
void hierarchical_all_reduce(const std::vector<std::vector<int>>& nodes, int rank, bool tree_across,
                             std::byte* buffer, std::int64_t bytes);

/// Bytes of the pieces in which a tree passes on `bytes`: enough of them to fill the tree, none so
/// small that latency dominates.
std::int64_t tree_chunk_bytes(std::int64_t bytes);

}  // namespace casvit::scale
