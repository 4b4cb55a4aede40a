#pragma once

#include <c10/core/ScalarType.h>

#include "launch/element.h"

namespace casvit::trainer {

/// What a tensor of this type holds, for collectives. @throws std::invalid_argument for a type that
/// they do not have
launch::ElementType element_of(c10::ScalarType type);

}  // namespace casvit::trainer
