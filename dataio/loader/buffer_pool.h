#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "dataio/loader/buffer_allocator.h"

namespace casvit::dataio {

/// Hands out 64-byte aligned float buffers and takes them back when their last owner lets go, so
/// that a loader's memory stays flat. All are as large as the largest that was ever asked for:
/// buffers of several sizes would pile up, each waiting for a request that it fits. They may
/// outlive the pool's owner. Thread-safe.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  /// @param keep free buffers kept at most; more than that go back to the allocator.
  static std::shared_ptr<BufferPool> make(std::size_t keep, BufferAllocator allocator = {});
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// At least `floats` elements, content undefined.
  std::shared_ptr<float[]> take(std::size_t floats);

 private:
  BufferPool(std::size_t keep, BufferAllocator allocator);
  void give_back(float* data, std::size_t floats) noexcept;
  void release(const std::vector<float*>& buffers) noexcept;

  const BufferAllocator allocator_;
  std::mutex mutex_;
  std::size_t keep_;
  std::size_t largest_ = 0;  ///< floats; of every buffer in `free_`
  std::vector<float*> free_;
};

}  // namespace casvit::dataio
