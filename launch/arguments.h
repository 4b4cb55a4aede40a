#pragma once

#include <cstddef>

#include "launch/element.h"

namespace casvit::launch {

/// What collectives refuse before anything is sent.

/// Bytes of `count` elements for each of `copies` ranks.
/// @throws std::invalid_argument when that is more than std::size_t holds.
std::size_t checked_bytes(std::size_t count, ElementType type, int copies);

/// @throws std::invalid_argument for a null buffer that should hold something.
void check_buffer(const void* buffer, std::size_t bytes, const char* operation);

/// @throws std::invalid_argument for kTreeSum where the ranks are no power of two.
void check_op(ReduceOp op, int size);

/// @throws std::invalid_argument unless 0 <= root < size.
void check_root(int root, int size);

}  // namespace casvit::launch
