#include "dataio/bench/data_bench.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "dataio/bench/timed_threads.h"
#include "dataio/container/display.h"
#include "dataio/container/file_descriptor.h"
#include "dataio/error.h"
#include "dataio/loader/loader.h"
#include "dataio/random/sample_order.h"

namespace casvit::dataio {
namespace {

using Clock = std::chrono::steady_clock;

/// What this rank sees: place k of its walk is a sample of the epoch that k falls into.
class Walk {
 public:
  Walk(const Dataset& dataset, const DataBenchOptions& options)
      : order_(SampleOrder::shuffled(options.seed, dataset.size())),
        samples_(dataset.size()),
        batch_(static_cast<std::uint64_t>(options.batch_size)),
        rank_(options.rank),
        ranks_(options.ranks) {}

  struct Place {
    std::uint64_t epoch;
    std::uint64_t sample;
  };

  Place at(std::uint64_t k) const {
    const std::uint64_t position = (k / batch_ * ranks_ + rank_) * batch_ + k % batch_;
    const std::uint64_t epoch = position / samples_;
    return {epoch, order_.at(epoch, position % samples_)};
  }

  /// Batch b of the walk. Its pictures are keyed by the epoch of its first.
  BatchPlan batch(std::uint64_t b) const {
    BatchPlan plan;
    plan.epoch = at(b * batch_).epoch;
    plan.step = b;
    plan.shard = rank_;
    for (std::uint64_t i = 0; i < batch_; ++i) plan.samples.push_back(at(b * batch_ + i).sample);
    return plan;
  }

 private:
  SampleOrder order_;
  std::uint64_t samples_;
  std::uint64_t batch_;
  std::uint64_t rank_;
  std::uint64_t ranks_;
};

std::size_t floats_of(const DataBenchOptions& options) {
  const auto side = static_cast<std::size_t>(options.transform.image_size);
  return side * side * 3;
}

FileDescriptor open_to_read(const std::string& file) {
  FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) {
    throw InputError("cannot read " + display_path(file) + ": " + system_error_text());
  }
  return descriptor;
}

BenchFigures measure_pread(const Dataset& dataset, const DataBenchOptions& options) {
  std::vector<FileDescriptor> descriptors;
  for (const std::string& file : dataset.files()) descriptors.push_back(open_to_read(file));
  const Walk walk(dataset, options);
  return run_timed(options.threads, options.seconds, [&]() -> BenchWork {
    return [&, bytes = std::vector<std::uint8_t>()](std::uint64_t k, BenchFigures& sum) mutable {
      const Dataset::Location at = dataset.location(walk.at(k).sample);
      bytes.resize(at.length);
      const std::string problem = read_at(descriptors[at.file].get(), at.offset, bytes);
      if (!problem.empty()) {
        throw InputError("cannot read " + display_path(dataset.files()[at.file]) + ": " + problem);
      }
      sum.images += 1;
      sum.bytes_read += bytes.size();
    };
  });
}

BenchFigures measure_read(const Dataset& dataset, const DataBenchOptions& options) {
  const Walk walk(dataset, options);
  return run_timed(options.threads, options.seconds, [&]() -> BenchWork {
    return [&, bytes = std::vector<std::uint8_t>()](std::uint64_t k, BenchFigures& sum) mutable {
      dataset.read(walk.at(k).sample, bytes);
      sum.images += 1;
      sum.bytes_read += bytes.size();
    };
  });
}

BenchFigures measure_decode(const Dataset& dataset, const DataBenchOptions& options) {
  const Walk walk(dataset, options);
  return run_timed(options.threads, options.seconds, [&]() -> BenchWork {
    return [&, bytes = std::vector<std::uint8_t>()](std::uint64_t k, BenchFigures& sum) mutable {
      const Image image = dataset.decode(walk.at(k).sample, bytes);
      sum.images += 1;
      sum.bytes_read += bytes.size();
      sum.bytes_written += image.pixels.size();
    };
  });
}

/// A thread's, as in the loader.
struct AugmentMemory {
  explicit AugmentMemory(std::size_t floats) : out(floats) {}
  std::vector<std::uint8_t> bytes;
  DecodeScratch decoded;
  TransformScratch transform;
  std::vector<float> out;
};

BenchFigures measure_augment(const Dataset& dataset, const DataBenchOptions& options) {
  const Walk walk(dataset, options);
  return run_timed(options.threads, options.seconds, [&]() -> BenchWork {
    return [&, memory = std::make_shared<AugmentMemory>(floats_of(options))](std::uint64_t k,
                                                                             BenchFigures& sum) {
      const Walk::Place place = walk.at(k);
      dataset.read(place.sample, memory->bytes);
      const PictureSource picture = {
          dataset.height(place.sample), dataset.width(place.sample), [&](const PixelBox& region) {
            return dataset.decode_region(place.sample, memory->bytes, region, memory->decoded);
          }};
      train_transform(picture, options.transform,
                      {.seed = options.seed, .epoch = place.epoch, .sample = place.sample},
                      memory->transform, memory->out.data());
      sum.images += 1;
      sum.bytes_read += memory->bytes.size();
      sum.bytes_written += memory->out.size() * sizeof(float);
    };
  });
}

void count(const Batch& batch, const Dataset& dataset, const DataBenchOptions& options,
           BenchFigures& sum) {
  for (const std::uint64_t sample : batch.plan.samples) {
    sum.images += 1;
    sum.bytes_read += dataset.location(sample).length;
    sum.bytes_written += floats_of(options) * sizeof(float);
  }
}

BenchFigures measure_loader(const Dataset& dataset, const DataBenchOptions& options) {
  const Walk walk(dataset, options);
  Loader::Training training{options.transform, options.mixup, options.seed};
  training.mixup.num_classes = std::max(options.mixup.num_classes, dataset.num_classes());
  Loader loader(dataset, [&walk](std::uint64_t b) { return walk.batch(b); }, training,
                {.threads = options.threads, .queue_batches = options.queue_batches});
  const auto seconds_since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  // The queue that filled up at first must not count for the time that follows.
  const auto begun = Clock::now();
  for (int b = 0; b < options.queue_batches || seconds_since(begun) < options.seconds / 10; ++b) {
    static_cast<void>(loader.next());
  }
  BenchFigures sum;
  const auto counted = Clock::now();
  do {
    count(*loader.next(), dataset, options, sum);
    sum.seconds = seconds_since(counted);
  } while (sum.seconds < options.seconds);
  return sum;
}

/// A copy of n bytes reads n and writes n: half of what the loader reads and writes for a picture
/// moves as many. Sources are as large as the data set's bytes (up to a limit), targets as the
/// loader's batches, so that caches help neither more than there.
BenchFigures measure_copy(const Dataset& dataset, const DataBenchOptions& options) {
  constexpr std::size_t kLargestSource = std::size_t{1} << 30;
  std::uint64_t stored = 0;
  for (std::uint64_t i = 0; i < dataset.size(); ++i) stored += dataset.location(i).length;
  const std::uint64_t moved = (stored / dataset.size() + floats_of(options) * sizeof(float)) / 2;
  const std::vector<std::uint8_t> source(
      std::max<std::size_t>(std::min<std::uint64_t>(stored, kLargestSource), moved), 1);
  const std::uint64_t sources = source.size() / moved;
  const std::uint64_t slots = static_cast<std::uint64_t>(options.batch_size) *
                              static_cast<std::uint64_t>(options.queue_batches + 2) /
                              static_cast<std::uint64_t>(options.threads);
  const std::uint64_t targets = std::max<std::uint64_t>(slots, 1);  // a thread's
  return run_timed(options.threads, options.seconds, [&]() -> BenchWork {
    return [&, target = std::vector<std::uint8_t>(targets * moved), turn = std::uint64_t{0}](
               std::uint64_t k, BenchFigures& sum) mutable {
      std::memcpy(target.data() + turn++ % targets * moved, source.data() + k % sources * moved,
                  moved);
      sum.images += 1;
      sum.bytes_read += moved;
      sum.bytes_written += moved;
    };
  });
}

void require(bool holds, const char* what, double value) {
  if (!holds) throw UsageError(std::string(what) + ", not " + std::to_string(value));
}

}  // namespace

std::string_view bench_stage_name(BenchStage stage) {
  switch (stage) {
    case BenchStage::kPread:
      return "pread";
    case BenchStage::kRead:
      return "read";
    case BenchStage::kDecode:
      return "decode";
    case BenchStage::kAugment:
      return "augment";
    case BenchStage::kLoader:
      return "loader";
    case BenchStage::kCopy:
      return "copy";
  }
  return "";
}

BenchFigures measure_stage(BenchStage stage, const Dataset& dataset,
                           const DataBenchOptions& options) {
  validate(options.transform);
  require(options.threads >= 1, "a bench needs at least one thread", options.threads);
  require(options.batch_size >= 1, "a bench needs batches of at least one", options.batch_size);
  require(options.queue_batches >= 1, "a bench needs a queue of at least one batch",
          options.queue_batches);
  require(options.seconds > 0, "a bench needs a time above 0 seconds", options.seconds);
  switch (stage) {
    case BenchStage::kPread:
      return measure_pread(dataset, options);
    case BenchStage::kRead:
      return measure_read(dataset, options);
    case BenchStage::kDecode:
      return measure_decode(dataset, options);
    case BenchStage::kAugment:
      return measure_augment(dataset, options);
    case BenchStage::kLoader:
      return measure_loader(dataset, options);
    case BenchStage::kCopy:
      return measure_copy(dataset, options);
  }
  throw UsageError("there is no such stage");
}

}  // namespace casvit::dataio
