#pragma once

#include <cstddef>
#include <exception>
#include <utility>
#include <vector>

#include "dataio/loader/loader.h"

namespace casvit::dataio {

/// A batch in the making. Its bookkeeping is guarded by the loader's mutex; the pixels of a sample
/// belong to the thread that claimed it, and the whole batch to the thread that finished its last.
struct BatchJob {
  Batch batch;
  TrainTransformOptions transform;  ///< in training, of this batch's image size
  std::size_t claimed = 0;          ///< samples given to threads, in order
  std::size_t pending = 0;          ///< samples claimed or unclaimed that are not finished
  bool finished = false;            ///< ready for `next()`: mixed, or failed
  std::exception_ptr error;         ///< of the smallest failing sample
  std::size_t error_sample = 0;
  std::vector<std::pair<std::size_t, Replacement>> replaced;  ///< with their places in the batch

  bool claimable() const { return claimed < batch.plan.samples.size(); }

  /// Samples are claimed in order, so all before a failing one are in hand already: leaving the
  /// unclaimed ones out keeps the smallest failure, whatever the number of threads.
  void fail(std::size_t sample, std::exception_ptr reason) {
    if (!error || sample < error_sample) {
      error = std::move(reason);
      error_sample = sample;
    }
    pending -= batch.plan.samples.size() - claimed;
    claimed = batch.plan.samples.size();
  }
};

}  // namespace casvit::dataio
