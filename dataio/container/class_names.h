#pragma once

#include <string>
#include <vector>

namespace casvit::dataio {

/// Why a container cannot have classes of these names, in words that name the first that is wrong
/// and say what to do; "" where it can. What this lets pass, readers take (see schema.h).
std::string class_names_problem(const std::vector<std::string>& names);

}  // namespace casvit::dataio
