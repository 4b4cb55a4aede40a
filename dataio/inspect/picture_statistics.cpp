#include "dataio/inspect/picture_statistics.h"

#include <cmath>
#include <map>
#include <mutex>
#include <string>

#include "dataio/error.h"
#include "dataio/pack/parallel_for.h"

namespace casvit::dataio {
namespace {

/// Note "sums that do not depend on threads": sums of integers are the same in any order. Pixels
/// are integers; a picture's mean and std are rounded to multiples of 2^-32, far below what
/// matters, and 2^31 pictures can be added.
constexpr double kUnit = 4294967296.0;
constexpr double kWhite = 255;

struct ChannelSums {
  std::array<std::uint64_t, 3> values{};
  std::array<std::uint64_t, 3> squares{};
};

struct Sums {
  std::uint64_t pixels = 0;
  ChannelSums pixel;
  std::array<std::int64_t, 3> picture_means{};  ///< in units of 1 / kUnit
  std::array<std::int64_t, 3> picture_stds{};
};

ChannelSums sum_of(const Image& image) {
  ChannelSums sums;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) {
      const std::uint64_t value = image.pixels[i + c];
      sums.values[c] += value;
      sums.squares[c] += value * value;
    }
  }
  return sums;
}

ChannelStatistics statistics_of(const ChannelSums& sums, std::uint64_t pixels) {
  ChannelStatistics statistics;
  const auto count = static_cast<double>(pixels);
  for (std::size_t c = 0; c < 3; ++c) {
    const double mean = static_cast<double>(sums.values[c]) / count;
    const double variance = static_cast<double>(sums.squares[c]) / count - mean * mean;
    statistics.mean[c] = mean / kWhite;
    statistics.std[c] = std::sqrt(std::max(variance, 0.0)) / kWhite;  // rounding may pass below 0
  }
  return statistics;
}

void add(Sums& total, const ChannelSums& picture, std::uint64_t pixels) {
  const ChannelStatistics own = statistics_of(picture, pixels);
  total.pixels += pixels;
  for (std::size_t c = 0; c < 3; ++c) {
    total.pixel.values[c] += picture.values[c];
    total.pixel.squares[c] += picture.squares[c];
    total.picture_means[c] += std::llround(own.mean[c] * kUnit);
    total.picture_stds[c] += std::llround(own.std[c] * kUnit);
  }
}

}  // namespace

PictureStatistics measure_pictures(const Dataset& dataset, int workers,
                                   const std::function<void(std::uint64_t, std::uint64_t)>& tick) {
  Sums total;
  std::map<std::uint64_t, std::string> undecodable;
  std::mutex mutex;
  const auto measure = [&](std::uint64_t sample) {
    thread_local std::vector<std::uint8_t> bytes;
    try {
      const Image image = dataset.decode(sample, bytes);
      const ChannelSums sums = sum_of(image);
      const std::lock_guard lock(mutex);
      add(total, sums, image.pixels.size() / 3);
    } catch (const InputError& error) {
      const std::lock_guard lock(mutex);
      undecodable.emplace(sample, error.what());
    }
  };
  parallel_for(dataset.size(), workers, measure,
               [&](std::uint64_t done) { tick(done, dataset.size()); });

  PictureStatistics statistics;
  for (const auto& [sample, message] : undecodable) {
    const Dataset::Location place = dataset.location(sample);
    statistics.undecodable.push_back(
        {dataset.files()[place.file], place.sample, dataset.source_path(sample), message});
  }
  statistics.pictures = dataset.size() - undecodable.size();
  if (statistics.pictures == 0) {
    throw InputError("no picture can be decoded: " + statistics.undecodable.front().message);
  }
  statistics.pixels = total.pixels;
  statistics.over_pixels = statistics_of(total.pixel, total.pixels);
  const double scale = kUnit * static_cast<double>(statistics.pictures);
  for (std::size_t c = 0; c < 3; ++c) {
    statistics.per_picture.mean[c] = static_cast<double>(total.picture_means[c]) / scale;
    statistics.per_picture.std[c] = static_cast<double>(total.picture_stds[c]) / scale;
  }
  return statistics;
}

}  // namespace casvit::dataio
