#pragma once

#include <cstdint>
#include <string>

namespace casvit::dataio {

/// A sample that cannot be read, or decoded.
struct DamagedSample {
  std::string file;
  std::uint64_t sample = 0;  ///< number in the file
  std::string source;        ///< path as stored
  std::string message;       ///< names file, sample and source
};

}  // namespace casvit::dataio
