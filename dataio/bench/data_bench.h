#pragma once

#include <cstdint>
#include <string_view>

#include "dataio/augment/mixup.h"
#include "dataio/augment/transform.h"
#include "dataio/container/dataset.h"

namespace casvit::dataio {

/// The stages that a picture goes through on its way into a batch, each measured with all that
/// comes before it, and two yardsticks.
enum class BenchStage {
  kPread,    ///< yardstick: bare `pread` of the stored bytes, unchecked
  kRead,     ///< `Dataset::read`: the same, hashes checked as its options say
  kDecode,   ///< read, and decode whole pictures
  kAugment,  ///< as the loader works on one sample: read, decode, augment, normalise
  kLoader,   ///< the full pipeline: Loader's threads filling whole batches
  kCopy,     ///< yardstick: `memcpy` that moves as many bytes a picture as kLoader reads and writes
};

inline constexpr BenchStage kBenchStages[] = {BenchStage::kPread,  BenchStage::kRead,
                                              BenchStage::kDecode, BenchStage::kAugment,
                                              BenchStage::kLoader, BenchStage::kCopy};

std::string_view bench_stage_name(BenchStage stage);

struct DataBenchOptions {
  TrainTransformOptions transform;
  MixupOptions mixup;  ///< of kLoader alone; `num_classes` at least that of the data
  std::uint64_t seed = 0;
  int threads = 1;         ///< decoding threads
  int batch_size = 64;     ///< of the loader
  int queue_batches = 4;   ///< of the loader
  double seconds = 3;      ///< a stage at least, after its warm-up of a tenth of it
  std::uint64_t rank = 0;  ///< works on batches rank, rank + ranks, ... of the shuffled order
  std::uint64_t ranks = 1;
};

/// What one stage did in `seconds`. Bytes read are those of the stored samples, bytes written those
/// of the result: decoded pixels, or the float32 picture.
struct BenchFigures {
  std::uint64_t images = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  double seconds = 0;

  double images_per_second() const { return static_cast<double>(images) / seconds; }
};

/// Runs one stage over the data set in its shuffled order, epoch after epoch, until its time is
/// over. `kRead` and `kPread` see the same samples in the same order.
/// @throws UsageError for options that cannot be; InputError as the data set does
BenchFigures measure_stage(BenchStage stage, const Dataset& dataset,
                           const DataBenchOptions& options);

}  // namespace casvit::dataio
