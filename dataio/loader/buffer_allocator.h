#pragma once

#include <cstddef>
#include <functional>

namespace casvit::dataio {

/// Where a loader's batches lie. dataio knows no GPU: who copies batches to one gives memory that
/// it copies from fastest (page-locked). Called from any of the loader's threads; empty functions
/// stand for ordinary memory.
struct BufferAllocator {
  /// At least `bytes` bytes, 64-byte aligned. Throws what `next()` then rethrows.
  std::function<void*(std::size_t bytes)> allocate;
  /// Takes back what `allocate` gave; must not throw. May be called after the loader is gone, by
  /// whoever lets go of the last batch.
  std::function<void(void* memory)> release;
};

}  // namespace casvit::dataio
