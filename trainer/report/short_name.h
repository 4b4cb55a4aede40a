#pragma once

#include <cstddef>
#include <string>

namespace casvit::trainer {

/// A name of any bytes as well-formed UTF-8 of at most `longest` code points, the last of them an
/// ellipsis where something was cut off.
std::string short_name(const std::string& name, std::size_t longest);

}  // namespace casvit::trainer
