#include "trainer/parallel/element_of.h"

#include <stdexcept>
#include <string>

namespace casvit::trainer {

launch::ElementType element_of(c10::ScalarType type) {
  switch (type) {
    case c10::ScalarType::Float:
      return launch::ElementType::kFloat32;
    case c10::ScalarType::Double:
      return launch::ElementType::kFloat64;
    case c10::ScalarType::BFloat16:
      return launch::ElementType::kBFloat16;
    case c10::ScalarType::Half:
      return launch::ElementType::kFloat16;
    case c10::ScalarType::Long:
      return launch::ElementType::kInt64;
    case c10::ScalarType::Byte:
      return launch::ElementType::kUInt8;
    default:
      throw std::invalid_argument(std::string("tensors of ") + c10::toString(type) +
                                  " cannot be exchanged");
  }
}

}  // namespace casvit::trainer
