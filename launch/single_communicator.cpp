#include "launch/single_communicator.h"

#include <cstring>

#include "launch/arguments.h"

namespace casvit::launch {
namespace {

Completion copy(const void* input, void* output, std::size_t bytes, const char* operation) {
  check_buffer(input, bytes, operation);
  check_buffer(output, bytes, operation);
  if (bytes > 0 && input != output) std::memcpy(output, input, bytes);
  return {};
}

}  // namespace

Completion SingleCommunicator::all_reduce(void* buffer, std::size_t count, ElementType type,
                                          ReduceOp /*op*/) {
  check_buffer(buffer, checked_bytes(count, type, 1), "all_reduce");
  return {};
}

Completion SingleCommunicator::reduce_scatter(const void* input, void* output, std::size_t count,
                                              ElementType type, ReduceOp /*op*/) {
  return copy(input, output, checked_bytes(count, type, 1), "reduce_scatter");
}

Completion SingleCommunicator::all_gather(const void* input, void* output, std::size_t count,
                                          ElementType type) {
  return copy(input, output, checked_bytes(count, type, 1), "all_gather");
}

Completion SingleCommunicator::broadcast(void* buffer, std::size_t count, ElementType type,
                                         int root) {
  check_root(root, 1);
  check_buffer(buffer, checked_bytes(count, type, 1), "broadcast");
  return {};
}

}  // namespace casvit::launch
