#pragma once

#include <cstdint>

namespace casvit::trainer {

/// The most memory that this process has had resident at once, bytes.
std::uint64_t peak_resident_bytes();

}  // namespace casvit::trainer
