#pragma once

#include <cstddef>

namespace casvit::launch {

/// Element types that a collective can carry (raw buffers: launch knows no LibTorch).
enum class ElementType { kFloat32, kFloat64, kBFloat16, kFloat16, kInt64, kUInt8 };
/// kSum adds in rank order, ((r0 + r1) + r2) + r3. kTreeSum adds in a balanced binary tree over
/// ranks, (r0 + r1) + (r2 + r3), which 2^k ranks have alone: what each of 2^k ranks summed in such
/// a tree of its own shards is then summed as one tree over all shards, whatever k.
enum class ReduceOp { kSum, kMax, kTreeSum };

constexpr std::size_t element_bytes(ElementType type) {
  switch (type) {
    case ElementType::kFloat64:
    case ElementType::kInt64:
      return 8;
    case ElementType::kFloat32:
      return 4;
    case ElementType::kBFloat16:
    case ElementType::kFloat16:
      return 2;
    case ElementType::kUInt8:
      return 1;
  }
  return 0;
}

/// For messages: "float32", "sum".
constexpr const char* element_name(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "float32";
    case ElementType::kFloat64:
      return "float64";
    case ElementType::kBFloat16:
      return "bfloat16";
    case ElementType::kFloat16:
      return "float16";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kUInt8:
      return "uint8";
  }
  return "unknown";
}
constexpr const char* reduce_op_name(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return "sum";
    case ReduceOp::kMax:
      return "max";
    case ReduceOp::kTreeSum:
      return "tree sum";
  }
  return "unknown";
}

}  // namespace casvit::launch
