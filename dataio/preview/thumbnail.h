#pragma once

#include <cstdint>
#include <vector>

#include "dataio/container/dataset.h"

namespace casvit::dataio {

/// A sample shrunk to fit into a square of `side` pixels, never enlarged, as a JPEG file.
/// @throws InputError naming the sample when it cannot be read or decoded
std::vector<std::uint8_t> thumbnail_jpeg(const Dataset& dataset, std::uint64_t sample, int side);

}  // namespace casvit::dataio
