#include "dataio/loader/buffer_pool.h"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

namespace casvit::dataio {
namespace {

constexpr std::size_t kAlignment = 64;

BufferAllocator ordinary_memory() {
  return {[](std::size_t bytes) { return ::operator new (bytes, std::align_val_t{kAlignment}); },
          [](void* memory) { ::operator delete (memory, std::align_val_t{kAlignment}); }};
}

std::size_t bytes_for(std::size_t floats) {
  return (std::max<std::size_t>(floats, 1) * sizeof(float) + kAlignment - 1) / kAlignment *
         kAlignment;
}

}  // namespace

std::shared_ptr<BufferPool> BufferPool::make(std::size_t keep, BufferAllocator allocator) {
  if (!allocator.allocate != !allocator.release) {
    throw std::invalid_argument("a buffer allocator needs both of its functions, or none");
  }
  if (!allocator.allocate) allocator = ordinary_memory();
  return std::shared_ptr<BufferPool>(new BufferPool(keep, std::move(allocator)));
}

BufferPool::BufferPool(std::size_t keep, BufferAllocator allocator)
    : allocator_(std::move(allocator)), keep_(keep) {
  free_.reserve(keep);
}

BufferPool::~BufferPool() { release(free_); }

std::shared_ptr<float[]> BufferPool::take(std::size_t floats) {
  float* buffer = nullptr;
  std::size_t size = 0;
  std::vector<float*> outgrown;
  {
    const std::lock_guard lock(mutex_);
    if (floats > largest_) {
      largest_ = floats;
      outgrown.swap(free_);
      free_.reserve(keep_);
    }
    size = largest_;
    if (!free_.empty()) {
      buffer = free_.back();
      free_.pop_back();
    }
  }
  release(outgrown);
  if (buffer == nullptr) buffer = static_cast<float*>(allocator_.allocate(bytes_for(size)));
  // The deleter holds the pool, so that a buffer can come home after its loader is gone.
  return {buffer, [pool = shared_from_this(), size](float* data) { pool->give_back(data, size); }};
}

void BufferPool::give_back(float* data, std::size_t floats) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (floats == largest_ && free_.size() < keep_) {
      free_.push_back(data);  // within the reserved capacity: cannot throw
      return;
    }
  }
  allocator_.release(data);
}

void BufferPool::release(const std::vector<float*>& buffers) noexcept {
  for (float* buffer : buffers) allocator_.release(buffer);
}

}  // namespace casvit::dataio
