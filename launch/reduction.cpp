#include "launch/reduction.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "launch/arguments.h"
#include "launch/half_precision.h"

namespace casvit::launch {
namespace {

/// How a type lies in memory (Stored), in what it is accumulated (Accumulated), and what comes out
/// (Result).
template <typename T>
struct Plain {
  using Stored = T;
  using Accumulated = T;
  using Result = T;
  static Accumulated load(Stored value) { return value; }
  static Stored store(Accumulated value) { return value; }
};

struct BFloat16 {
  using Stored = std::uint16_t;
  using Accumulated = float;
  using Result = std::uint16_t;
  static float load(Stored bits) { return bfloat16_to_float(bits); }
  static Stored store(float value) { return float_to_bfloat16(value); }
};

struct Float16 {
  using Stored = std::uint16_t;
  using Accumulated = float;
  using Result = std::uint16_t;
  static float load(Stored bits) { return float16_to_float(bits); }
  static Stored store(float value) { return float_to_float16(value); }
};

template <typename Element>
struct Unrounded : Element {
  using Result = typename Element::Accumulated;
  static Result store(Result value) { return value; }
};

struct Sum {
  template <typename T>
  static T combine(T left, T right) {
    return static_cast<T>(left + right);
  }
  // Added as unsigned: overflow of a signed integer would be undefined, and is to wrap.
  static std::int64_t combine(std::int64_t left, std::int64_t right) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) +
                                     static_cast<std::uint64_t>(right));
  }
};

struct Max {
  template <typename T>
  static T combine(T left, T right) {
    // A NaN on the right is taken by the second test; one on the left loses no comparison.
    return (right > left || is_nan(right)) ? right : left;
  }

 private:
  template <typename T>
  static bool is_nan(T value) {
    if constexpr (std::is_floating_point_v<T>) return std::isnan(value);
    return false;
  }
};

/// Elements that go through all inputs at a time: their accumulators stay in the first-level cache.
constexpr std::size_t kBlock = 1024;

/// `to[i] = convert(i)`. The compiler need not fear that `to` lies in what is read: where it does,
/// each element is read before it is written.
template <typename To, typename Convert>
inline void each(To* to, std::size_t length, Convert convert) {
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC ivdep
#endif
  for (std::size_t i = 0; i < length; ++i) to[i] = convert(i);
}

/// The first two inputs meet on their way into the accumulators, and the last one on the way out:
/// two inputs are read and written once, and need none.
template <typename Element, typename Op>
void reduce_as(std::span<const void* const> inputs, void* output, std::size_t count) {
  using Stored = typename Element::Stored;
  std::array<typename Element::Accumulated, kBlock> sums;
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t length = std::min(kBlock, count - begin);
    const auto input = [&](std::size_t index) {
      return static_cast<const Stored*>(inputs[index]) + begin;
    };
    auto* const results = static_cast<typename Element::Result*>(output) + begin;
    const Stored* const first = input(0);
    if (inputs.size() == 1) {
      each(results, length, [&](std::size_t i) { return Element::store(Element::load(first[i])); });
      continue;
    }
    const Stored* const last = input(inputs.size() - 1);
    if (inputs.size() == 2) {
      each(results, length, [&](std::size_t i) {
        return Element::store(Op::combine(Element::load(first[i]), Element::load(last[i])));
      });
      continue;
    }
    const Stored* const second = input(1);
    each(sums.data(), length, [&](std::size_t i) {
      return Op::combine(Element::load(first[i]), Element::load(second[i]));
    });
    for (std::size_t index = 2; index + 1 < inputs.size(); ++index) {
      const Stored* const values = input(index);
      each(sums.data(), length,
           [&](std::size_t i) { return Op::combine(sums[i], Element::load(values[i])); });
    }
    each(results, length, [&](std::size_t i) {
      return Element::store(Op::combine(sums[i], Element::load(last[i])));
    });
  }
}

/// The tree's sum of one block of all inputs, into `sums`. `scratch` holds the right-hand sums of
/// the levels below: a block each.
template <typename Element>
void tree_sum_block(std::span<const void* const> inputs, std::size_t begin, std::size_t length,
                    typename Element::Accumulated* sums, typename Element::Accumulated* scratch) {
  if (inputs.size() == 1) {
    const auto* values = static_cast<const typename Element::Stored*>(inputs[0]) + begin;
    for (std::size_t i = 0; i < length; ++i) sums[i] = Element::load(values[i]);
    return;
  }
  const std::size_t half = inputs.size() / 2;
  tree_sum_block<Element>(inputs.first(half), begin, length, sums, scratch);
  tree_sum_block<Element>(inputs.subspan(half), begin, length, scratch, scratch + kBlock);
  for (std::size_t i = 0; i < length; ++i) sums[i] = Sum::combine(sums[i], scratch[i]);
}

template <typename Element>
void tree_sum_as(std::span<const void* const> inputs, void* output, std::size_t count) {
  // The tree of two is their sum in order.
  if (inputs.size() <= 2) return reduce_as<Element, Sum>(inputs, output, count);
  const auto levels = static_cast<std::size_t>(std::bit_width(inputs.size()));
  std::vector<typename Element::Accumulated> sums(kBlock * levels);
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t length = std::min(kBlock, count - begin);
    tree_sum_block<Element>(inputs, begin, length, sums.data(), sums.data() + kBlock);
    auto* results = static_cast<typename Element::Result*>(output) + begin;
    for (std::size_t i = 0; i < length; ++i) results[i] = Element::store(sums[i]);
  }
}

template <typename Element>
void reduce_with(std::span<const void* const> inputs, void* output, std::size_t count,
                 ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return reduce_as<Element, Sum>(inputs, output, count);
    case ReduceOp::kMax:
      return reduce_as<Element, Max>(inputs, output, count);
    case ReduceOp::kTreeSum:
      return tree_sum_as<Element>(inputs, output, count);
  }
}

}  // namespace

void reduce(std::span<const void* const> inputs, void* output, std::size_t count, ElementType type,
            ReduceOp op) {
  if (inputs.empty()) throw std::invalid_argument("a reduction needs at least one input");
  check_op(op, static_cast<int>(inputs.size()));
  switch (type) {
    case ElementType::kFloat32:
      return reduce_with<Plain<float>>(inputs, output, count, op);
    case ElementType::kFloat64:
      return reduce_with<Plain<double>>(inputs, output, count, op);
    case ElementType::kBFloat16:
      return reduce_with<BFloat16>(inputs, output, count, op);
    case ElementType::kFloat16:
      return reduce_with<Float16>(inputs, output, count, op);
    case ElementType::kInt64:
      return reduce_with<Plain<std::int64_t>>(inputs, output, count, op);
    case ElementType::kUInt8:
      return reduce_with<Plain<std::uint8_t>>(inputs, output, count, op);
  }
}

void reduce_unrounded(std::span<const void* const> inputs, void* output, std::size_t count,
                      ElementType type, ReduceOp op) {
  if (accumulator_of(type) == type) return reduce(inputs, output, count, type, op);
  if (inputs.empty()) throw std::invalid_argument("a reduction needs at least one input");
  check_op(op, static_cast<int>(inputs.size()));
  if (type == ElementType::kBFloat16) {
    reduce_with<Unrounded<BFloat16>>(inputs, output, count, op);
  } else {
    reduce_with<Unrounded<Float16>>(inputs, output, count, op);
  }
}

void round_to(const void* sums, void* output, std::size_t count, ElementType type) {
  const auto* const values = static_cast<const float*>(sums);
  auto* const results = static_cast<std::uint16_t*>(output);
  if (type == ElementType::kBFloat16) {
    each(results, count, [&](std::size_t i) { return float_to_bfloat16(values[i]); });
  } else if (type == ElementType::kFloat16) {
    each(results, count, [&](std::size_t i) { return float_to_float16(values[i]); });
  } else if (sums != output && count > 0) {
    std::memcpy(output, sums, count * element_bytes(type));
  }
}

}  // namespace casvit::launch
