#pragma once

#include <string>

namespace casvit::launch {

/// The name of this machine.
std::string host_name();

}  // namespace casvit::launch
