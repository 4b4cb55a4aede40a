#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace casvit::dataio::jpeg {

/// A scan's entropy-coded data without byte stuffing, cut at its restart markers.
class EntropyData {
 public:
  /// Bytes that may be read (they are zero) behind the data: more than the bits of any MCU.
  static constexpr std::size_t kReadable = 4096;

  /// Copies the data that begin `bytes`, up to the first marker that is no restart.
  /// @returns false where there is no such marker, or restarts are not counted 0 to 7 in turn
  bool read(std::span<const std::uint8_t> bytes);

  std::size_t segments() const { return begins_.size() - 1; }
  const std::uint8_t* segment_begin(std::size_t i) const { return data_.data() + begins_[i]; }
  const std::uint8_t* segment_end(std::size_t i) const { return data_.data() + begins_[i + 1]; }
  /// Whether the scan is followed by the end of the picture.
  bool ends_picture() const { return ends_picture_; }

 private:
  std::vector<std::uint8_t> data_;
  std::vector<std::size_t> begins_;  ///< of the segments, then the end
  bool ends_picture_ = false;
};

}  // namespace casvit::dataio::jpeg
