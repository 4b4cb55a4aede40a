#include "dataio/loader/loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "dataio/error.h"
#include "dataio/loader/batch_job.h"
#include "dataio/loader/buffer_pool.h"
#include "dataio/random/counter_rng.h"

namespace casvit::dataio {
namespace {

/// Drawn in place of a corrupt picture before giving up: files with that many damaged ones are
/// worth nobody's training.
constexpr int kReplacementDraws = 16;

}  // namespace

/// Note: who waits for whom. Threads take single samples, of the oldest batch that has unclaimed
/// ones, so that one slow picture does not stall the rest of its batch. A batch is planned only
/// while fewer than `queue_batches` are under way or waiting; `next()` takes the oldest once it is
/// finished and so makes room. Everything in State but pixels is guarded by `mutex_`; a thread's
/// writes to pixels happen before the finishing thread's mixup and the caller's use through that
/// mutex.
struct Loader::State {
  using Transform = std::variant<Training, EvalTransformOptions>;

  State(const Dataset& dataset, BatchSequence sequence, Transform transform,
        const LoaderOptions& options);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::optional<Batch> next();

 private:
  struct Claim {
    std::shared_ptr<BatchJob> job;
    std::size_t sample = 0;
    std::vector<std::uint64_t> announced;  ///< samples that the system is to fetch
  };

  /// Reused from sample to sample.
  struct ThreadMemory {
    std::vector<std::uint8_t> bytes;
    DecodeScratch decoded;
    TransformScratch transform;
  };

  void run();
  void stop_and_join();
  std::optional<Claim> claim(std::unique_lock<std::mutex>& lock);
  std::optional<Claim> claim_planned();
  void plan_batch();
  std::shared_ptr<BatchJob> make_job(BatchPlan plan);
  std::optional<Replacement> work_on(const Claim& claim, ThreadMemory& memory);
  Replacement replace(const Claim& claim, const std::string& reason, ThreadMemory& memory);
  void fill(const Claim& claim, std::uint64_t source, ThreadMemory& memory);
  void finish(BatchJob& job, std::unique_lock<std::mutex>& lock);
  void mix(Batch& batch) const;
  bool room() const { return !ended_ && jobs_.size() < queue_batches_; }
  static std::size_t image_floats(const Batch& batch) {
    const auto size = static_cast<std::size_t>(batch.image_size);
    return size * size * 3 * static_cast<std::size_t>(batch.views);
  }

  const Dataset& dataset_;
  BatchSequence sequence_;
  const Transform transform_;
  const std::size_t queue_batches_;
  const bool readahead_;
  int image_size_ = 0;
  int views_ = 1;
  std::shared_ptr<BufferPool> buffers_;

  std::mutex mutex_;
  std::condition_variable work_;   ///< for threads: something to claim, room to plan, or the end
  std::condition_variable ready_;  ///< for next(): the oldest batch is finished
  std::deque<std::shared_ptr<BatchJob>> jobs_;
  std::deque<std::vector<std::uint64_t>> unannounced_;  ///< samples of planned batches
  std::uint64_t planned_ = 0;
  bool ended_ = false;  ///< the sequence has no more batches, or failed
  bool stop_ = false;
  std::exception_ptr failure_;  ///< what next() threw, and throws again
  std::vector<std::thread> threads_;
};

Loader::State::State(const Dataset& dataset, BatchSequence sequence, Transform transform,
                     const LoaderOptions& options)
    : dataset_(dataset),
      sequence_(std::move(sequence)),
      transform_(std::move(transform)),
      queue_batches_(static_cast<std::size_t>(std::max(options.queue_batches, 1))),
      readahead_(options.readahead) {
  if (options.threads < 1 || options.queue_batches < 1) {
    throw UsageError("the loader needs at least one thread and one batch in its queue, not " +
                     std::to_string(options.threads) + " and " +
                     std::to_string(options.queue_batches));
  }
  if (const auto* training = std::get_if<Training>(&transform_)) {
    validate(training->transform);
    if (training->mixup.num_classes < dataset.num_classes()) {
      throw UsageError("mixup.num_classes is " + std::to_string(training->mixup.num_classes) +
                       ", but the data have " + std::to_string(dataset.num_classes()) + " classes");
    }
    image_size_ = training->transform.image_size;
  } else {
    const auto& evaluation = std::get<EvalTransformOptions>(transform_);
    validate(evaluation);
    image_size_ = evaluation.image_size;
    views_ = evaluation.view_count();
  }
  // One more for the batch that the caller works on, one for the batch it just let go.
  buffers_ = BufferPool::make(queue_batches_ + 2, options.memory);
  try {
    for (int t = 0; t < options.threads; ++t) threads_.emplace_back([this] { run(); });
  } catch (...) {
    stop_and_join();
    throw;
  }
}

Loader::State::~State() { stop_and_join(); }

void Loader::State::stop_and_join() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::optional<Batch> Loader::State::next() {
  std::unique_lock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  ready_.wait(lock, [this] { return jobs_.empty() ? ended_ : jobs_.front()->finished; });
  if (jobs_.empty()) return std::nullopt;
  const std::shared_ptr<BatchJob> job = jobs_.front();
  jobs_.pop_front();
  if (job->error) {
    failure_ = job->error;
    ended_ = true;
    std::rethrow_exception(failure_);
  }
  lock.unlock();
  work_.notify_one();
  return std::move(job->batch);
}

void Loader::State::run() {
  ThreadMemory memory;
  std::unique_lock lock(mutex_);
  while (const std::optional<Claim> claimed = claim(lock)) {
    lock.unlock();
    std::exception_ptr error;
    std::optional<Replacement> replaced;
    try {
      dataset_.announce(claimed->announced);
      replaced = work_on(*claimed, memory);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    BatchJob& job = *claimed->job;
    --job.pending;
    if (error) job.fail(claimed->sample, error);
    if (replaced) job.replaced.emplace_back(claimed->sample, std::move(*replaced));
    if (job.pending == 0) finish(job, lock);
  }
}

/// The next sample, waiting for it if needed; nothing when it is time to stop. Plans before it
/// claims: the system then knows samples for as long ahead as the queue is.
std::optional<Loader::State::Claim> Loader::State::claim(std::unique_lock<std::mutex>& lock) {
  while (true) {
    if (stop_) return std::nullopt;
    while (room()) plan_batch();
    if (auto claimed = claim_planned()) {
      if (!unannounced_.empty()) {
        claimed->announced = std::move(unannounced_.front());
        unannounced_.pop_front();
      }
      return claimed;
    }
    work_.wait(lock);
  }
}

std::optional<Loader::State::Claim> Loader::State::claim_planned() {
  for (const std::shared_ptr<BatchJob>& job : jobs_) {
    if (job->claimable()) return Claim{job, job->claimed++, {}};
  }
  return std::nullopt;
}

/// Under the mutex: the sequence is called by one thread at a time and in order. What it throws is
/// an error in this batch's turn.
void Loader::State::plan_batch() {
  std::shared_ptr<BatchJob> job;
  try {
    std::optional<BatchPlan> plan = sequence_(planned_++);
    if (plan) {
      job = make_job(std::move(*plan));
    } else {
      ended_ = true;
    }
  } catch (...) {
    job = std::make_shared<BatchJob>();
    job->error = std::current_exception();
    ended_ = true;
  }
  if (job) {
    job->finished = job->error || job->batch.plan.samples.empty();
    if (readahead_ && !job->finished) unannounced_.push_back(job->batch.plan.samples);
    jobs_.push_back(std::move(job));
  }
  work_.notify_all();
  ready_.notify_all();
}

std::shared_ptr<BatchJob> Loader::State::make_job(BatchPlan plan) {
  auto job = std::make_shared<BatchJob>();
  const std::size_t samples = plan.samples.size();
  job->batch.image_size = image_size_;
  job->batch.views = views_;
  if (const auto* training = std::get_if<Training>(&transform_)) {
    validate(training->mixup, static_cast<int>(samples));
    if (plan.image_size > 0) job->batch.image_size = plan.image_size;
    job->transform = training->transform;
    job->transform.image_size = job->batch.image_size;
    job->batch.targets.resize(samples * static_cast<std::size_t>(training->mixup.num_classes));
  }
  for (const std::uint64_t sample : plan.samples) {
    if (sample >= dataset_.size()) {
      throw std::out_of_range("a batch asks for sample " + std::to_string(sample) + " of " +
                              std::to_string(dataset_.size()));
    }
    job->batch.labels.push_back(dataset_.label(sample));
  }
  job->batch.plan = std::move(plan);
  job->batch.images = buffers_->take(samples * image_floats(job->batch));
  job->pending = samples;
  return job;
}

/// Reads, decodes and transforms one sample into its place in the batch, or another one where it
/// cannot be read and that was asked for.
std::optional<Replacement> Loader::State::work_on(const Claim& claim, ThreadMemory& memory) {
  const auto* training = std::get_if<Training>(&transform_);
  try {
    fill(claim, claim.job->batch.plan.samples[claim.sample], memory);
  } catch (const InputError& error) {
    if (training == nullptr || !training->replace_corrupt) throw;
    return replace(claim, error.what(), memory);
  }
  return std::nullopt;
}

Replacement Loader::State::replace(const Claim& claim, const std::string& reason,
                                   ThreadMemory& memory) {
  Batch& batch = claim.job->batch;
  const std::uint64_t sample = batch.plan.samples[claim.sample];
  CounterRng draw(std::get<Training>(transform_).seed, RandomUse::kReplacement, batch.plan.epoch,
                  sample);
  for (int i = 0; i < kReplacementDraws; ++i) {
    const std::uint64_t other = draw.below(dataset_.size());
    if (other == sample) continue;
    try {
      fill(claim, other, memory);
    } catch (const InputError&) {
      continue;
    }
    batch.labels[claim.sample] = dataset_.label(other);
    return {sample, other, reason};
  }
  throw InputError(reason + "; and none of " + std::to_string(kReplacementDraws) +
                   " others could take its place: check the files with casvit-pack verify");
}

/// `source` is read into the sample's place, with the sample's augmentation.
void Loader::State::fill(const Claim& claim, std::uint64_t source, ThreadMemory& memory) {
  Batch& batch = claim.job->batch;
  const std::uint64_t sample = batch.plan.samples[claim.sample];
  dataset_.read(source, memory.bytes);
  const PictureSource picture = {
      dataset_.height(source), dataset_.width(source), [&](const PixelBox& region) {
        return dataset_.decode_region(source, memory.bytes, region, memory.decoded);
      }};
  float* out = batch.images.get() + claim.sample * image_floats(batch);
  if (const auto* training = std::get_if<Training>(&transform_)) {
    const AugmentKey key{.seed = training->seed, .epoch = batch.plan.epoch, .sample = sample};
    train_transform(picture, claim.job->transform, key, memory.transform, out);
  } else {
    eval_transform(picture, std::get<EvalTransformOptions>(transform_), memory.transform, out);
  }
}

/// By the thread that finished the last sample; mixes without the mutex.
void Loader::State::finish(BatchJob& job, std::unique_lock<std::mutex>& lock) {
  std::ranges::sort(job.replaced, {}, &std::pair<std::size_t, Replacement>::first);
  for (auto& [place, replacement] : job.replaced) {
    job.batch.replaced.push_back(std::move(replacement));
  }
  if (!job.error && !stop_) {
    lock.unlock();
    std::exception_ptr error;
    try {
      mix(job.batch);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    job.error = error;
  }
  job.finished = true;
  ready_.notify_all();
}

void Loader::State::mix(Batch& batch) const {
  const auto* training = std::get_if<Training>(&transform_);
  if (training == nullptr) return;
  const std::size_t samples = batch.plan.samples.size();
  MixupOptions mixup = training->mixup;
  if (training->mixup_epochs > 0 && batch.plan.epoch >= training->mixup_epochs) mixup.prob = 0;
  apply_mixup(std::span(batch.images.get(), samples * image_floats(batch)),
              static_cast<int>(samples), batch.image_size, batch.labels, mixup,
              {.seed = training->seed, .step = batch.plan.step, .shard = batch.plan.shard},
              batch.targets);
}

Loader::Loader(const Dataset& dataset, BatchSequence sequence, Training training,
               const LoaderOptions& options)
    : state_(std::make_unique<State>(dataset, std::move(sequence), std::move(training), options)) {}

Loader::Loader(const Dataset& dataset, BatchSequence sequence, EvalTransformOptions transform,
               const LoaderOptions& options)
    : state_(std::make_unique<State>(dataset, std::move(sequence), std::move(transform), options)) {
}

Loader::~Loader() = default;

std::optional<Batch> Loader::next() { return state_->next(); }

}  // namespace casvit::dataio
