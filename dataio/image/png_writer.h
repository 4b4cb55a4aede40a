#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/image/image.h"

namespace casvit::dataio {

/// The picture as an 8-bit RGB PNG. @throws OutputError where libpng cannot.
std::vector<std::uint8_t> encode_png(const Image& image);

/// Writes a PNG that appears under its name only when complete. @throws OutputError
void write_png(const std::string& path, const Image& image);

}  // namespace casvit::dataio
