#pragma once

#include <cstddef>
#include <span>

#include "launch/element.h"

namespace casvit::launch {

/// `output[i]` becomes `inputs[0][i] op inputs[1][i] op ...`, taken from left to right, or for
/// kTreeSum pair by pair, then pairs of pairs: with inputs in rank order each element's result
/// depends on nothing but that element's values. 16-bit floats are accumulated in float32 and
/// rounded once; integers wrap; the maximum of anything and NaN is NaN.
/// @param inputs at least one, for kTreeSum a power of two of them (std::invalid_argument
/// otherwise); each `count` elements, aligned to their type.
/// @param output may be one of the inputs, but not overlap one otherwise.
void reduce(std::span<const void* const> inputs, void* output, std::size_t count, ElementType type,
            ReduceOp op);

/// What 16-bit floats are accumulated in; every other type is accumulated in itself.
constexpr ElementType accumulator_of(ElementType type) {
  return element_bytes(type) == 2 ? ElementType::kFloat32 : type;
}

/// The same, but `output[count]` has the accumulator's type and is not rounded: a sum of such sums
/// is rounded once, by `round_to`. For 16-bit floats `output` overlaps no input.
void reduce_unrounded(std::span<const void* const> inputs, void* output, std::size_t count,
                      ElementType type, ReduceOp op);

/// `output[i]` is `sums[i]`, of the accumulator's type, rounded to `type`. In place, where the two
/// types are one, it does nothing.
void round_to(const void* sums, void* output, std::size_t count, ElementType type);

}  // namespace casvit::launch
