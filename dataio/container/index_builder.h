#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/container/index.h"
#include "dataio/image/decode.h"

namespace casvit::dataio {

/// One sample of a container to be: everything but its bytes.
struct SampleDescription {
  std::uint32_t length = 0;  ///< bytes, at least 1
  std::uint32_t height = 0;  ///< pixels
  std::uint32_t width = 0;   ///< pixels
  Codec codec = Codec::kJpeg;
  std::uint8_t orientation = 1;  ///< EXIF, 1 to 8
  std::int32_t label = 0;
  std::uint64_t xxh3 = 0;  ///< of the bytes
  std::string source;      ///< path relative to the packed folder, any bytes
};

/// The next position at or behind `position` where a sample may start.
std::uint64_t aligned_position(std::uint64_t position);

/// Lays samples out one after the other, without gaps but those of the alignment.
class IndexBuilder {
 public:
  explicit IndexBuilder(std::vector<std::string> class_names);

  /// @returns where in `/images/bytes` the sample's bytes belong.
  std::uint64_t add(const SampleDescription& sample);
  const ContainerIndex& index() const { return index_; }

 private:
  ContainerIndex index_;
  std::uint64_t end_ = 0;
};

}  // namespace casvit::dataio
