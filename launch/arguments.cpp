#include "launch/arguments.h"

#include <bit>
#include <limits>
#include <stdexcept>
#include <string>

namespace casvit::launch {

std::size_t checked_bytes(std::size_t count, ElementType type, int copies) {
  const std::size_t unit = element_bytes(type) * static_cast<std::size_t>(copies);
  if (count > std::numeric_limits<std::ptrdiff_t>::max() / unit) {
    throw std::invalid_argument("a collective of " + std::to_string(count) + " " +
                                element_name(type) + " for " + std::to_string(copies) +
                                " ranks is larger than memory can be");
  }
  return count * unit;
}

void check_buffer(const void* buffer, std::size_t bytes, const char* operation) {
  if (buffer == nullptr && bytes > 0) {
    throw std::invalid_argument(std::string(operation) + ": a null buffer for " +
                                std::to_string(bytes) + " bytes");
  }
}

void check_op(ReduceOp op, int size) {
  if (op == ReduceOp::kTreeSum && !std::has_single_bit(static_cast<unsigned>(size))) {
    throw std::invalid_argument("a tree sum needs 1, 2, 4, 8, ... ranks and there are " +
                                std::to_string(size));
  }
}

void check_root(int root, int size) {
  if (root < 0 || root >= size) {
    throw std::invalid_argument("broadcast: root " + std::to_string(root) + " is not one of the " +
                                std::to_string(size) + " ranks");
  }
}

}  // namespace casvit::launch
