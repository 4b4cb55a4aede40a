#pragma once

#include <string>

namespace casvit::launch {

/// 16 hex digits (XXH3) of the file that this process runs; zeros where it may be run but not read.
std::string binary_hash();

/// XXH3 of any bytes, 16 hex digits.
std::string hash_of(const std::string& bytes);

}  // namespace casvit::launch
