#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "dataio/image/image.h"

namespace casvit::dataio {

/// dHash: the picture is reduced to 9 x 8 grey pixels (bilinear, antialiased; luma of ITU-R BT.601
/// as Pillow's convert("L")), and each bit says whether a pixel is darker than its right neighbour.
/// Alike for a picture and its rescaled, recompressed or slightly brightened copy; not for a
/// mirrored or turned one.
std::uint64_t difference_hash(const Image& image);

/// Calls `match(i, j)` with i < j for every pair of `hashes` that differ in at most `distance`
/// bits, each pair once. Hashes must differ from each other. @param distance 0 to 16
void match_near_hashes(std::span<const std::uint64_t> hashes, int distance,
                       const std::function<void(std::size_t, std::size_t)>& match);

}  // namespace casvit::dataio
