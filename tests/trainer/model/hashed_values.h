#pragma once

#include <cstddef>
#include <string>

namespace casvit::trainer::golden {

/// u(name, i) in [0, 1): the integer hash of tests/trainer/model/golden/README.md, which any
/// language can compute.
double hashed_uniform(const std::string& name, std::size_t i);

}  // namespace casvit::trainer::golden
