#pragma once

#include <cstdint>
#include <string_view>

namespace casvit::trainer {

/// What the elements of a torch storage are. kOther: types that weights never have (complex,
/// quantised, float8, wider unsigned integers); they can be passed over, not read.
enum class ElementType : std::uint8_t {
  kFloat64,
  kFloat32,
  kFloat16,
  kBFloat16,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUint8,
  kBool,
  kOther,
};

/// A storage or dtype as torch names it.
struct ElementFormat {
  ElementType type = ElementType::kOther;
  std::uint8_t bytes = 1;  ///< of an element; 1 of a storage without type
  std::string_view name;   ///< "float32"
};

}  // namespace casvit::trainer
