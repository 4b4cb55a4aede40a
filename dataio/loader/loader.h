#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataio/augment/mixup.h"
#include "dataio/augment/transform.h"
#include "dataio/container/dataset.h"
#include "dataio/loader/buffer_allocator.h"

namespace casvit::dataio {

/// What one batch (a shard in training, a block in evaluation) is made of.
struct BatchPlan {
  std::vector<std::uint64_t> samples;
  std::uint64_t epoch = 0;  ///< key of the augmentation
  std::uint64_t step = 0;   ///< key of mixup, counted over the whole run
  std::uint64_t shard = 0;  ///< key of mixup
  int image_size = 0;       ///< pixels, in training; 0: the transform's
};

/// Batch k of the sequence that this rank works through, or nullopt after the last. Called from one
/// thread at a time, in order of k.
using BatchSequence = std::function<std::optional<BatchPlan>(std::uint64_t k)>;

/// A picture of a training batch that could not be read, and the one that took its place.
struct Replacement {
  std::uint64_t sample = 0;  ///< as planned
  std::uint64_t by = 0;
  std::string reason;  ///< naming file, sample and source
};

/// A decoded batch. `images` is `[n, views, size, size, 3] float32` (NHWC: channels-last), 64-byte
/// aligned; letting go of it hands the buffer back to the loader, so that memory stays flat.
struct Batch {
  BatchPlan plan;
  int image_size = 0;
  int views = 1;  ///< of each picture: those of the evaluation transform
  std::shared_ptr<float[]> images;
  std::vector<std::int32_t> labels;   ///< `[n]`
  std::vector<float> targets;         ///< `[n, num_classes]` in training, empty in evaluation
  std::vector<Replacement> replaced;  ///< in the order of the batch; `labels` are those of `by`
};

struct LoaderOptions {
  int threads = 1;              ///< decoding threads
  int queue_batches = 4;        ///< batches decoded ahead at most: bounds memory
  BufferAllocator memory = {};  ///< of the batches' pictures
  /// Tell the system which samples come next, so that cold files stream: `queue_batches` ahead.
  bool readahead = true;
};

/// Decodes, augments and (in training) mixes batches on its own threads, ahead of the caller, and
/// hands them over in order. The result does not depend on the number of threads. An exception in a
/// worker (e.g. InputError naming a corrupt sample) is rethrown by `next()` in the batch's turn,
/// and by every later call: no batch is skipped silently. The destructor stops and joins at once,
/// whatever is still queued.
class Loader {
 public:
  struct Training {
    TrainTransformOptions transform;
    MixupOptions mixup;
    std::uint64_t seed = 0;
    /// Epochs in which pictures are mixed; 0: all. Label smoothing stays.
    std::uint64_t mixup_epochs = 0;
    /// Whether another picture takes the place of one that cannot be read: drawn by (seed, epoch,
    /// sample), the same whatever the threads and ranks, and reported in the batch. Otherwise such
    /// a picture is an error. In evaluation it always is.
    bool replace_corrupt = false;
  };

  /// `dataset` must outlive the loader.
  Loader(const Dataset& dataset, BatchSequence sequence, Training training,
         const LoaderOptions& options);
  Loader(const Dataset& dataset, BatchSequence sequence, EvalTransformOptions transform,
         const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch, waiting for it if needed; nullopt after the last.
  std::optional<Batch> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace casvit::dataio
