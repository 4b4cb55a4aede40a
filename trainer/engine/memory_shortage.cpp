#include "trainer/engine/memory_shortage.h"

#include <c10/util/Exception.h>

#include <new>
#include <string_view>

#include "trainer/error.h"

namespace casvit::trainer {

bool is_memory_shortage(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
      dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) {
    return true;
  }
  // LibTorch's allocator of ordinary memory has no type of its own for it.
  return dynamic_cast<const c10::Error*>(&error) != nullptr &&
         std::string_view(error.what()).find("DefaultCPUAllocator") != std::string_view::npos;
}

void refuse_for_shortage(const std::string& doing, const std::string& advice) {
  throw ConfigError("out of memory in " + doing + ": " + advice);
}

std::string smaller_shards(int shards, int shard_size, int image_size) {
  std::string text = "a shard of " + std::to_string(shard_size) + " pictures of " +
                     std::to_string(image_size) + " pixels does not fit; ";
  if (shard_size < 2) {
    return text + "use a smaller model or model.image_size, or a machine with more memory";
  }
  return text + "more and smaller shards make the same global batch, e.g. --set batch.shards=" +
         std::to_string(2 * shards) + " --set batch.shard_size=" + std::to_string(shard_size / 2) +
         " (batch norm then sees fewer pictures at once)";
}

}  // namespace casvit::trainer
