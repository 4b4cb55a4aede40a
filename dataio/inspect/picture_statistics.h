#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "dataio/container/dataset.h"
#include "dataio/inspect/damaged_sample.h"

namespace casvit::dataio {

/// Red, green and blue, in [0, 1].
struct ChannelStatistics {
  std::array<double, 3> mean{};
  std::array<double, 3> std{};
};

/// The two things that people call the mean and std of a data set.
struct PictureStatistics {
  std::uint64_t pictures = 0;  ///< that were measured
  std::uint64_t pixels = 0;
  /// Over all pixels of all pictures together: a large picture counts more than a small one.
  ChannelStatistics over_pixels;
  /// The mean over pictures of each picture's own mean, and of each picture's own std: what many
  /// scripts print. The std leaves out how pictures differ from each other, and so is smaller.
  ChannelStatistics per_picture;
  std::vector<DamagedSample> undecodable;  ///< in order; left out of everything above
};

/// Decodes every picture and measures it; standard deviations are those of the population (divided
/// by n, as numpy's). The result is the same for any number of `workers`.
/// @param tick (done, total), on the calling thread.
/// @throws InputError when no sample at all can be decoded, naming the first.
PictureStatistics measure_pictures(const Dataset& dataset, int workers,
                                   const std::function<void(std::uint64_t, std::uint64_t)>& tick);

}  // namespace casvit::dataio
