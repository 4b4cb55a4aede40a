#include "dataio/loader/buffer_pool.h"

#include <algorithm>
#include <new>

namespace casvit::dataio {
namespace {

constexpr std::size_t kAlignment = 64;

float* allocate(std::size_t floats) {
  const std::size_t bytes =
      (std::max<std::size_t>(floats, 1) * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
  return static_cast<float*>(::operator new (bytes, std::align_val_t{kAlignment}));
}

void release(float* data) noexcept { ::operator delete (data, std::align_val_t{kAlignment}); }

}  // namespace

std::shared_ptr<BufferPool> BufferPool::make(std::size_t keep) {
  return std::shared_ptr<BufferPool>(new BufferPool(keep));
}

BufferPool::~BufferPool() {
  for (const Free& buffer : free_) release(buffer.data);
}

std::shared_ptr<float[]> BufferPool::take(std::size_t floats) {
  Free buffer{nullptr, 0};
  {
    const std::lock_guard lock(mutex_);
    const auto fits = std::find_if(free_.begin(), free_.end(),
                                   [floats](const Free& free) { return free.floats >= floats; });
    if (fits != free_.end()) {
      buffer = *fits;
      free_.erase(fits);
    }
  }
  if (buffer.data == nullptr) buffer = {allocate(floats), floats};
  // The deleter holds the pool, so that a buffer can come home after its loader is gone.
  return {buffer.data, [pool = shared_from_this(), size = buffer.floats](float* data) {
            pool->give_back(data, size);
          }};
}

void BufferPool::give_back(float* data, std::size_t floats) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (free_.size() < keep_) {
      free_.push_back({data, floats});  // within the reserved capacity: cannot throw
      return;
    }
  }
  release(data);
}

}  // namespace casvit::dataio
