#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/image/decode.h"

namespace casvit::dataio {

/// What is known of a picture file after looking at all of it.
struct PictureFacts {
  ImageHeader header;
  std::uint8_t orientation = 1;  ///< EXIF, 1 to 8
  std::uint32_t length = 0;      ///< bytes
  std::uint64_t xxh3 = 0;        ///< of the bytes
};

/// Reads a whole regular file.
/// @param bytes resized; its capacity is reused.
/// @throws InputError with the reason alone, without the file's name: missing, not a regular file,
///         unreadable, 4 GiB or more.
void read_source_file(const std::string& path, std::vector<std::uint8_t>& bytes);

/// Whether `bytes` can be packed: a JPEG, PNG or WebP picture whose structure is whole.
/// @throws InputError with the reason alone.
PictureFacts inspect_picture(const std::vector<std::uint8_t>& bytes);

}  // namespace casvit::dataio
