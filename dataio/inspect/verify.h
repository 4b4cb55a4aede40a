#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataio/inspect/damaged_sample.h"

namespace casvit::dataio {

struct VerifyResult {
  std::uint64_t samples = 0;
  std::vector<DamagedSample> damaged;  ///< in order of samples
};

/// Opens a container (which validates everything but the pictures), then checks every sample's hash
/// and, with `decode`, decodes every sample. @param tick (done, total), on the calling thread.
/// @throws InputError when the container as a whole cannot be read.
VerifyResult verify_container(const std::string& path, bool decode, int workers,
                              const std::function<void(std::uint64_t, std::uint64_t)>& tick);

}  // namespace casvit::dataio
