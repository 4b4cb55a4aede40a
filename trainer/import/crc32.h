#pragma once

#include <cstddef>
#include <cstdint>

namespace casvit::trainer {

/// CRC-32 of zip files (polynomial 0xEDB88320, reflected) over more bytes.
/// @param crc what the call before returned, 0 at first
std::uint32_t crc32(std::uint32_t crc, const void* bytes, std::size_t count);

}  // namespace casvit::trainer
