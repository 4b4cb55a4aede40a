#pragma once

#include <cstdint>
#include <string_view>

namespace casvit::trainer {

/// CRC-32C (Castagnoli; RFC 3720, B.4).
std::uint32_t crc32c(std::string_view bytes);

/// What records of event files carry in its place: rotated and offset, so that the sum of data that
/// hold sums is no special case (TensorFlow, core/lib/hash/crc32c.h).
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace casvit::trainer
