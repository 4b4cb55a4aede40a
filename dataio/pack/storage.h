#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataio/image/decode.h"
#include "dataio/pack/sample_record.h"

namespace casvit::dataio {

inline constexpr int kDefaultQuality = 90;

/// How pictures are stored. By default as they are, byte for byte.
struct StorageOptions {
  /// Pictures whose short side is longer are made that small (bicubic, antialiased) and stored as
  /// JPEG; smaller ones stay as they are. 0: no limit.
  int resize = 0;
  /// JPEG quality, 1 to 100; given without `resize`, every picture is encoded anew. 0: not given.
  int quality = 0;
  /// Every picture is stored as raw x raw RGB pixels: the short side is resized to it, larger or
  /// smaller (bicubic), and the centre is kept. 0: not.
  int raw = 0;
  /// Progressive and arithmetic-coded JPEGs become baseline ones of the same coefficients: the
  /// pixels stay, markers are kept, decoding takes a third of the time.
  bool baseline = false;
  /// Pictures of more pixels are rejected from their header.
  std::int64_t max_pixels = kDefaultMaxPixels;

  /// Whether bytes may be stored that are not those of the source.
  bool changes_pictures() const { return resize > 0 || quality > 0 || raw > 0 || baseline; }
};

/// Checks a picture's structure and fills in everything of `record` that follows from its bytes,
/// where they are stored as they are. @throws InputError with the reason alone.
void inspect_picture(std::span<const std::uint8_t> bytes, const StorageOptions& options,
                     SampleRecord& record);

/// What is stored for the picture `source`: appended to `stored`; `record` is filled in. The
/// orientation that it notes is recorded, not applied. @throws InputError with the reason alone.
void store_picture(std::span<const std::uint8_t> source, const StorageOptions& options,
                   std::vector<std::uint8_t>& stored, SampleRecord& record);

}  // namespace casvit::dataio
