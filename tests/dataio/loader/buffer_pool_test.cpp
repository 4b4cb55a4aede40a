#include "dataio/loader/buffer_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace casvit::dataio {
namespace {

/// Counts what it gives and takes back.
struct Bookkeeping {
  int allocations = 0;
  std::set<void*> held;

  BufferAllocator allocator() {
    return {[this](std::size_t bytes) {
              ++allocations;
              void* memory = std::aligned_alloc(64, bytes);
              held.insert(memory);
              return memory;
            },
            [this](void* memory) {
              EXPECT_EQ(held.erase(memory), 1U);
              std::free(memory);
            }};
  }
};

TEST(BufferPool, ReusesMemoryOfTheGivenAllocatorAndGivesItBack) {
  Bookkeeping books;
  {
    auto pool = BufferPool::make(2, books.allocator());
    for (int round = 0; round < 50; ++round) {
      const auto one = pool->take(1000);
      const auto other = pool->take(10);
      EXPECT_EQ(books.held.count(one.get()), 1U);
      EXPECT_NE(one.get(), other.get());
      one[999] = 1;
    }
    EXPECT_EQ(books.allocations, 2);
    const auto larger = pool->take(5000);
    EXPECT_EQ(books.allocations, 3);
    EXPECT_EQ(books.held.size(), 1U);  // the smaller ones would only pile up
    pool.reset();
    EXPECT_EQ(books.held.count(larger.get()), 1U);  // buffers may outlive their pool's owner
    larger[4999] = 1;
  }
  EXPECT_TRUE(books.held.empty());
}

/// Multi-scale training asks for another size with every batch.
TEST(BufferPool, HoldsNoMoreOfManySizesThanOfTheLargest) {
  Bookkeeping books;
  constexpr std::size_t kQueued = 4;
  auto pool = BufferPool::make(kQueued, books.allocator());
  std::vector<std::shared_ptr<float[]>> queue;
  for (std::size_t batch = 0; batch < 300; ++batch) {
    if (queue.size() == kQueued) queue.erase(queue.begin());
    queue.push_back(pool->take(1000 + (batch * batch * 7919) % 6 * 500));
    if (batch == 100) books.allocations = 0;
    EXPECT_LE(books.held.size(), kQueued + 1);
  }
  EXPECT_EQ(books.allocations, 0) << "in the last 200 batches";
}

TEST(BufferPool, HasAlignedMemoryOfItsOwn) {
  const auto pool = BufferPool::make(1);
  for (const std::size_t floats : {0U, 1U, 17U, 4096U}) {
    const auto buffer = pool->take(floats);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.get()) % 64, 0U);
  }
}

TEST(BufferPool, PassesFailuresOnAndRefusesHalfAnAllocator) {
  Bookkeeping books;
  BufferAllocator broken = books.allocator();
  broken.allocate = [](std::size_t) -> void* { throw std::runtime_error("no page-locked memory"); };
  const auto pool = BufferPool::make(1, broken);
  EXPECT_THROW(pool->take(8), std::runtime_error);
  BufferAllocator half = books.allocator();
  half.release = nullptr;
  EXPECT_THROW(BufferPool::make(1, half), std::invalid_argument);
}

}  // namespace
}  // namespace casvit::dataio
