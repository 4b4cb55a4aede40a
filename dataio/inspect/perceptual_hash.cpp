#include "dataio/inspect/perceptual_hash.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "dataio/image/resize.h"

namespace casvit::dataio {
namespace {

constexpr int kRows = 8;
constexpr int kColumns = 9;
constexpr int kHashBits = 64;

/// Pillow's L24: fixed point with 16 bits, rounded.
int luma(const std::uint8_t* rgb) {
  return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

/// The `band`-th of `bands` nearly equal parts of a hash's bits.
std::uint64_t bits_of_band(std::uint64_t hash, int band, int bands) {
  const int first = kHashBits * band / bands;
  const int width = kHashBits * (band + 1) / bands - first;
  const std::uint64_t mask =
      width == kHashBits ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  return hash >> first & mask;
}

/// Whether the two agree in a band before this one, where they were compared already.
bool met_before(std::uint64_t a, std::uint64_t b, int band, int bands) {
  for (int earlier = 0; earlier < band; ++earlier) {
    if (bits_of_band(a ^ b, earlier, bands) == 0) return true;
  }
  return false;
}

}  // namespace

std::uint64_t difference_hash(const Image& image) {
  Image small;
  resize(image, kRows, kColumns, Interpolation::kBilinear, small);
  std::uint64_t hash = 0;
  for (int y = 0; y < kRows; ++y) {
    const std::uint8_t* pixel = small.row(y);
    for (int x = 0; x + 1 < kColumns; ++x, pixel += 3) {
      hash = hash << 1 | std::uint64_t{luma(pixel) < luma(pixel + 3)};
    }
  }
  return hash;
}

void match_near_hashes(std::span<const std::uint64_t> hashes, int distance,
                       const std::function<void(std::size_t, std::size_t)>& match) {
  const int bands = distance + 1;
  std::vector<std::size_t> order(hashes.size());
  for (int band = 0; band < bands; ++band) {
    const auto key = [&](std::size_t i) { return bits_of_band(hashes[i], band, bands); };
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&key](std::size_t a, std::size_t b) { return key(a) < key(b); });
    for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
      while (end < order.size() && key(order[end]) == key(order[begin])) ++end;
      for (std::size_t i = begin; i < end; ++i) {
        for (std::size_t j = i + 1; j < end; ++j) {
          const std::uint64_t a = hashes[order[i]];
          const std::uint64_t b = hashes[order[j]];
          if (std::popcount(a ^ b) > distance || met_before(a, b, band, bands)) continue;
          match(order[i], order[j]);  // the sort is stable: i comes first
        }
      }
    }
  }
}

}  // namespace casvit::dataio
