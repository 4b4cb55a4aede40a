#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "launch/element.h"
#include "launch/half_precision.h"

namespace casvit::launch {

/// Elements of a type that is known at run time, set and read as doubles.
class TypedBuffer {
 public:
  TypedBuffer(ElementType type, std::size_t count)
      : type_(type), bytes_(count * element_bytes(type), std::byte{0xa5}) {}

  std::byte* at(std::size_t index) { return bytes_.data() + index * element_bytes(type_); }
  std::byte* data() { return bytes_.data(); }
  bool operator==(const TypedBuffer&) const = default;

  void set(std::size_t index, double value) {
    switch (type_) {
      case ElementType::kFloat32:
        return put(index, static_cast<float>(value));
      case ElementType::kFloat64:
        return put(index, value);
      case ElementType::kBFloat16:
        return put(index, float_to_bfloat16(static_cast<float>(value)));
      case ElementType::kFloat16:
        return put(index, float_to_float16(static_cast<float>(value)));
      case ElementType::kInt64:
        return put(index, static_cast<std::int64_t>(value));
      case ElementType::kUInt8:
        return put(index, static_cast<std::uint8_t>(value));
    }
  }

  double get(std::size_t index) const {
    switch (type_) {
      case ElementType::kFloat32:
        return take<float>(index);
      case ElementType::kFloat64:
        return take<double>(index);
      case ElementType::kBFloat16:
        return bfloat16_to_float(take<std::uint16_t>(index));
      case ElementType::kFloat16:
        return float16_to_float(take<std::uint16_t>(index));
      case ElementType::kInt64:
        return static_cast<double>(take<std::int64_t>(index));
      case ElementType::kUInt8:
        return take<std::uint8_t>(index);
    }
    return 0;
  }

 private:
  template <typename T>
  void put(std::size_t index, T value) {
    std::memcpy(at(index), &value, sizeof(T));
  }
  template <typename T>
  T take(std::size_t index) const {
    T value;
    std::memcpy(&value, bytes_.data() + index * sizeof(T), sizeof(T));
    return value;
  }

  ElementType type_;
  std::vector<std::byte> bytes_;
};

}  // namespace casvit::launch
