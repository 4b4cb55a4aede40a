#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataio/image/image.h"
#include "dataio/image/jpeg/baseline_header.h"
#include "dataio/image/jpeg/component_plane.h"
#include "dataio/image/jpeg/entropy_data.h"
#include "dataio/image/jpeg/huffman_table.h"
#include "dataio/image/jpeg/kernels.h"

namespace casvit::dataio::jpeg {

/// Decodes rectangles of baseline JPEGs: the same pixels as libjpeg-turbo's (ISLOW, fancy
/// upsampling). Only what the rectangle needs is transformed, and nothing behind its last row of
/// MCUs is looked at. Memory is reused from picture to picture. One a thread.
///
/// Whatever is not plainly sound is left to libjpeg, which names the defect, or decodes what is
/// merely unusual: both functions return false for it.
class RegionDecoder {
 public:
  /// @param kernels for tests; the processor's own otherwise
  explicit RegionDecoder(const Kernels& kernels = fastest_kernels()) : kernels_(kernels) {}

  /// Reads the header. `bytes` must live until `decode` is done.
  bool open(std::span<const std::uint8_t> bytes);
  int height() const { return header_.height; }
  int width() const { return header_.width; }

  /// Decodes `region`, which must lie within the picture and not be empty.
  /// @param out `[region.height, region.width, 3]`, rows `stride` bytes apart
  bool decode(const PixelBox& region, std::uint8_t* out, std::size_t stride);

 private:
  struct Progress;

  bool plan(const PixelBox& region);
  bool decode_scan();
  bool decode_mcu_row(Progress& progress, bool wanted);
  bool next_segment(Progress& progress);
  bool at_end_of_segment(const Progress& progress) const;
  void convert_rows(const PixelBox& region, std::uint8_t* out, std::size_t stride);

  const Kernels& kernels_;
  std::span<const std::uint8_t> bytes_;
  BaselineHeader header_;
  HuffmanTableCache tables_;
  EntropyData data_;
  int mcus_across_ = 0;
  int mcus_down_ = 0;
  int first_mcu_row_ = 0;  ///< of the region
  int end_mcu_row_ = 0;
  std::array<ComponentPlane, 3> planes_;
};

}  // namespace casvit::dataio::jpeg
