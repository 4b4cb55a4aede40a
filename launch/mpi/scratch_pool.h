#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace casvit::launch {

/// Buffers that are used again, because touching fresh pages costs as much as summing into them.
/// Used by one thread only, and must outlive what was taken from it.
class ScratchPool {
 public:
  struct Block {
    std::unique_ptr<std::byte[]> data;
    std::size_t capacity = 0;
  };

  /// At least `bytes`, with no defined content, aligned for any element type.
  Block take(std::size_t bytes) {
    for (std::size_t i = 0; i < free_.size(); ++i) {
      if (free_[i].capacity < bytes) continue;
      Block block = std::move(free_[i]);
      free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(i));
      return block;
    }
    // One that is too small makes room for its successor, so that the pool does not grow for ever.
    if (!free_.empty()) free_.pop_back();
    return {std::make_unique_for_overwrite<std::byte[]>(bytes), bytes};
  }

  void give_back(Block block) {
    if (block.data) free_.push_back(std::move(block));
  }

 private:
  std::vector<Block> free_;
};

}  // namespace casvit::launch
