#pragma once

#include <cstddef>
#include <span>

#include "launch/element.h"

namespace casvit::launch {

/// `output[i]` becomes `inputs[0][i] op inputs[1][i] op ...`, taken from left to right, or for
/// kTreeSum in a balanced binary tree: with inputs in rank order each element's result depends on
/// nothing but that element's values. 16-bit floats
/// are accumulated in float32 and rounded once; integers wrap; the maximum of anything and NaN is
/// NaN.
/// @param inputs at least one; each `count` elements, aligned to their type.
/// @throws std::invalid_argument for a tree sum of any but 1, 2, 4, 8, ... inputs
/// @param output may be one of the inputs, but not overlap one otherwise.
void reduce_in_order(std::span<const void* const> inputs, void* output, std::size_t count,
                     ElementType type, ReduceOp op);

}  // namespace casvit::launch
