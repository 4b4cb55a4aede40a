#include "dataio/loader/loader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <set>
#include <thread>

#include "dataio/error.h"
#include "dataio/pack/packer.h"
#include "dataio/random/sample_order.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int kImageSize = 32;
constexpr std::size_t kImageFloats = std::size_t{kImageSize} * kImageSize * 3;

/// A data set of 24 photographs in 3 classes.
class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() {
    make_image_folder(folder_ / "in", {"a", "b", "c"}, 8);
    PackOptions options;
    options.source = folder_ / "in";
    options.output = folder_ / "data.h5";
    static_cast<void>(pack(options, [](const auto&, auto, auto) {}));
    dataset_ = std::make_unique<Dataset>(std::vector<std::string>{folder_ / "data.h5"});
  }

  /// `batches` batches of `size` samples that walk through the data set again and again.
  static BatchSequence walk(std::uint64_t batches, std::uint64_t size) {
    return [batches, size](std::uint64_t k) -> std::optional<BatchPlan> {
      if (k >= batches) return std::nullopt;
      BatchPlan plan;
      plan.step = k;
      plan.epoch = k / 4;
      plan.shard = 1;
      for (std::uint64_t i = 0; i < size; ++i) plan.samples.push_back((k * size + i * 7) % 24);
      return plan;
    };
  }

  static Loader::Training training() {
    Loader::Training training;
    training.transform.image_size = kImageSize;
    training.transform.brightness = 0.2;
    training.mixup.mixup_alpha = 0.8;
    training.mixup.cutmix_alpha = 1.0;
    training.mixup.num_classes = 3;
    training.seed = 11;
    return training;
  }

  static EvalTransformOptions evaluation() {
    EvalTransformOptions options;
    options.image_size = kImageSize;
    return options;
  }

  /// Flips one bit of a sample's stored bytes.
  void damage(std::uint64_t sample) {
    Bytes bytes;
    dataset_->read(sample, bytes);
    Bytes file = file_bytes(folder_ / "data.h5");
    const auto at = std::search(file.begin(), file.end(), bytes.begin(), bytes.end());
    at[static_cast<std::ptrdiff_t>(bytes.size() / 2)] ^= 1;
    write_file(folder_ / "data.h5", file);
    dataset_ = std::make_unique<Dataset>(std::vector<std::string>{folder_ / "data.h5"});
  }

  TemporaryFolder folder_;
  std::unique_ptr<Dataset> dataset_;
};

struct Collected {
  std::vector<float> pixels;
  std::vector<float> targets;
  std::vector<std::int32_t> labels;
  std::vector<std::uint64_t> steps;
  bool operator==(const Collected&) const = default;
};

Collected collect(Loader& loader) {
  Collected all;
  while (const std::optional<Batch> batch = loader.next()) {
    const std::size_t floats = batch->plan.samples.size() * kImageFloats;
    all.pixels.insert(all.pixels.end(), batch->images.get(), batch->images.get() + floats);
    all.targets.insert(all.targets.end(), batch->targets.begin(), batch->targets.end());
    all.labels.insert(all.labels.end(), batch->labels.begin(), batch->labels.end());
    all.steps.push_back(batch->plan.step);
  }
  return all;
}

TEST_F(LoaderTest, DeliversTheSameBatchesInOrderWhateverTheThreads) {
  Loader alone(*dataset_, walk(9, 4), training(), {.threads = 1, .queue_batches = 1});
  const Collected expected = collect(alone);
  EXPECT_EQ(expected.steps, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(expected.targets.size(), 9U * 4 * 3);
  for (const LoaderOptions& options : {LoaderOptions{2, 4}, LoaderOptions{7, 2}}) {
    Loader loader(*dataset_, walk(9, 4), training(), options);
    EXPECT_EQ(collect(loader), expected) << options.threads << " threads";
    EXPECT_FALSE(loader.next().has_value());  // and stays at the end
  }
}

#ifndef CASVIT_SANITIZED  // they keep memory for later
/// Resident memory of this process, bytes.
double resident_bytes() {
  std::ifstream status("/proc/self/statm");
  double pages = 0;
  status >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

TEST_F(LoaderTest, MemoryStaysFlatOverEpochs) {
  constexpr std::uint64_t kBatches = 6;  // of 4: an epoch
  Loader::Training options = training();
  options.transform.image_size = 64;  // a batch's buffer, used for the first time late, is 0.2 MB
  Loader loader(*dataset_, walk(20 * kBatches, 4), options, {.threads = 2, .queue_batches = 3});
  double after_second = 0;
  for (std::uint64_t batch = 1; batch <= 20 * kBatches; ++batch) {
    ASSERT_TRUE(loader.next().has_value());
    if (batch == 2 * kBatches) after_second = resident_bytes();
  }
  EXPECT_GT(after_second, 0);
  // A leak of 2.4 KB a picture would show.
  EXPECT_LE(resident_bytes(), after_second * 1.02 + (1 << 20));
}
#endif

/// Whether the pages of a file's bytes [begin, end) are in memory.
bool is_resident(const std::string& path, std::size_t begin, std::size_t end) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* mapped = ::mmap(nullptr, end, PROT_READ, MAP_SHARED, descriptor, 0);
  std::vector<unsigned char> pages((end + page - 1) / page);
  EXPECT_EQ(::mincore(mapped, end, pages.data()), 0);
  ::munmap(mapped, end);
  ::close(descriptor);
  return std::all_of(pages.begin() + static_cast<std::ptrdiff_t>(begin / page), pages.end(),
                     [](unsigned char flags) { return (flags & 1) != 0; });
}

TEST_F(LoaderTest, TheSystemFetchesWhatIsAnnounced) {
  const std::string path = folder_ / "data.h5";
  const Dataset::Location last = dataset_->location(23);
  const auto evicted = [&] {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ::fdatasync(descriptor);
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    ::close(descriptor);
    return !is_resident(path, last.offset, last.offset + last.length);
  };
  if (!evicted()) GTEST_SKIP() << "this file system keeps its files in memory";
  const std::vector<std::uint64_t> samples = {23};
  dataset_->announce(samples);
  bool resident = false;
  for (int wait = 0; wait < 500 && !resident; ++wait) {
    std::this_thread::sleep_for(10ms);
    resident = is_resident(path, last.offset, last.offset + last.length);
  }
  EXPECT_TRUE(resident);
}

/// While the first sample of the first batch is in work, the system knows the last of the queue.
TEST_F(LoaderTest, PlansItsWholeQueueBeforeItWorks) {
  std::atomic<std::uint64_t> asked{0};
  const BatchSequence walked = walk(20, 2);
  const auto counted = [&](std::uint64_t k) {
    ++asked;
    return walked(k);
  };
  Loader loader(*dataset_, counted, evaluation(), {.threads = 1, .queue_batches = 5});
  ASSERT_TRUE(loader.next().has_value());
  EXPECT_GE(asked, 5U);  // one thread that worked first would have asked for one or two
}

TEST_F(LoaderTest, IsTheTransformOfTheDecodedSample) {
  Loader loader(*dataset_, walk(3, 5), evaluation(), {.threads = 3, .queue_batches = 2});
  Bytes scratch;
  std::vector<float> expected(kImageFloats);
  int batches = 0;
  for (; const std::optional<Batch> batch = loader.next(); ++batches) {
    EXPECT_EQ(batch->image_size, kImageSize);
    EXPECT_TRUE(batch->targets.empty());
    for (std::size_t i = 0; i < 5; ++i) {
      const std::uint64_t sample = batch->plan.samples[i];
      eval_transform(dataset_->decode(sample, scratch), evaluation(), expected.data());
      EXPECT_EQ(std::memcmp(expected.data(), batch->images.get() + i * kImageFloats,
                            kImageFloats * sizeof(float)),
                0);
      EXPECT_EQ(batch->labels[i], dataset_->label(sample));
    }
  }
  EXPECT_EQ(batches, 3);
}

TEST_F(LoaderTest, MixesAWholeBatchWithItsOwnKey) {
  Loader loader(*dataset_, walk(2, 4), training(), {.threads = 2, .queue_batches = 2});
  static_cast<void>(loader.next());
  const std::optional<Batch> batch = loader.next();
  ASSERT_TRUE(batch.has_value());
  const Loader::Training options = training();
  std::vector<float> images(4 * kImageFloats);
  std::vector<float> targets(4 * 3);
  Bytes scratch;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t sample = batch->plan.samples[i];
    train_transform(dataset_->decode(sample, scratch), options.transform, {11, 0, sample},
                    images.data() + i * kImageFloats);
  }
  apply_mixup(images, 4, kImageSize, batch->labels, options.mixup, {11, 1, 1}, targets);
  EXPECT_EQ(batch->targets, targets);
  EXPECT_TRUE(std::equal(images.begin(), images.end(), batch->images.get()));
}

TEST_F(LoaderTest, StopsMixingAfterItsEpochs) {
  Loader::Training mixing = training();
  mixing.mixup.label_smoothing = 0.3;
  Loader::Training plain = mixing;
  plain.mixup.prob = 0;
  mixing.mixup_epochs = 1;  // of two, of four batches each
  Loader some(*dataset_, walk(8, 4), mixing, {.threads = 2, .queue_batches = 2});
  Loader none(*dataset_, walk(8, 4), plain, {.threads = 2, .queue_batches = 2});
  for (int b = 0; b < 8; ++b) {
    const std::optional<Batch> with = some.next();
    const std::optional<Batch> without = none.next();
    ASSERT_TRUE(with && without);
    EXPECT_EQ(with->targets == without->targets, b >= 4) << "batch " << b;
    EXPECT_EQ(std::equal(with->images.get(), with->images.get() + 4 * kImageFloats,
                         without->images.get()),
              b >= 4)
        << "batch " << b;
  }
}

TEST_F(LoaderTest, RethrowsAnErrorInItsTurnAndForEver) {
  damage(13);
  for (const int threads : {1, 5}) {
    const auto with_damage = [](std::uint64_t k) -> std::optional<BatchPlan> {
      BatchPlan plan;
      plan.samples =
          k == 2 ? std::vector<std::uint64_t>{1, 13, 2, 3} : std::vector<std::uint64_t>{4, 5, 6, 7};
      return plan;
    };
    Loader loader(*dataset_, with_damage, training(), {.threads = threads, .queue_batches = 4});
    EXPECT_TRUE(loader.next().has_value());
    EXPECT_TRUE(loader.next().has_value());
    for (int again = 0; again < 2; ++again) {
      try {
        static_cast<void>(loader.next());
        FAIL() << "a damaged sample was delivered";
      } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("sample 13 (b/5.jpg) is damaged"));
      }
    }
  }
}

TEST_F(LoaderTest, NamesTheFirstOfSeveralDamagedSamples) {
  damage(13);
  damage(14);
  for (int repetition = 0; repetition < 10; ++repetition) {
    const auto both = [](std::uint64_t) -> std::optional<BatchPlan> {
      BatchPlan plan;
      plan.samples = {0, 14, 13, 1};
      return plan;
    };
    Loader loader(*dataset_, both, evaluation(), {.threads = 4, .queue_batches = 1});
    try {
      static_cast<void>(loader.next());
      FAIL();
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("sample 14 "));
    }
  }
}

TEST_F(LoaderTest, HandsOnWhatTheSequenceThrows) {
  const auto failing = [](std::uint64_t k) -> std::optional<BatchPlan> {
    if (k == 1) throw UsageError("no second batch");
    BatchPlan plan;
    plan.samples = {0, 1};
    return plan;
  };
  Loader loader(*dataset_, failing, training(), {.threads = 2, .queue_batches = 3});
  EXPECT_TRUE(loader.next().has_value());
  EXPECT_THROW(loader.next(), UsageError);
}

TEST_F(LoaderTest, AsksForBatchesInOrderAndNeverFarAhead) {
  std::atomic<std::uint64_t> asked{0};
  const BatchSequence walked = walk(20, 2);
  const auto counted = [&asked, &walked](std::uint64_t k) {
    EXPECT_EQ(k, asked++);
    return walked(k);
  };
  Loader loader(*dataset_, counted, evaluation(), {.threads = 4, .queue_batches = 3});
  for (std::uint64_t taken = 0; taken < 20; ++taken) {
    std::this_thread::sleep_for(2ms);
    EXPECT_LE(asked, taken + 3);
    EXPECT_TRUE(loader.next().has_value());
  }
}

TEST_F(LoaderTest, ReusesItsBuffers) {
  Loader loader(*dataset_, walk(60, 2), evaluation(), {.threads = 3, .queue_batches = 3});
  std::set<const float*> buffers;
  while (const std::optional<Batch> batch = loader.next()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(batch->images.get()) % 64, 0U);
    buffers.insert(batch->images.get());
  }
  EXPECT_LE(buffers.size(), 3U + 2U);
}

TEST_F(LoaderTest, LeavesABatchToItsOwnerWhenItGoes) {
  std::optional<Batch> kept;
  {
    Loader loader(*dataset_, walk(8, 2), evaluation(), {.threads = 2, .queue_batches = 2});
    kept = loader.next();
  }
  float sum = 0;
  for (std::size_t i = 0; i < 2 * kImageFloats; ++i) sum += std::abs(kept->images[i]);
  EXPECT_GT(sum, 0.0F);
}

TEST_F(LoaderTest, StopsAtOnceWhateverIsQueued) {
  const auto endless = [](std::uint64_t) -> std::optional<BatchPlan> {
    BatchPlan plan;
    plan.samples.assign(100'000, 3);  // more than a minute of decoding
    return plan;
  };
  const auto start = std::chrono::steady_clock::now();
  {
    Loader loader(*dataset_, endless, evaluation(), {.threads = 3, .queue_batches = 2});
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST_F(LoaderTest, RefusesWhatCannotBe) {
  EXPECT_THROW(Loader(*dataset_, walk(1, 2), evaluation(), {.threads = 0}), UsageError);
  EXPECT_THROW(Loader(*dataset_, walk(1, 2), evaluation(), {.threads = 1, .queue_batches = 0}),
               UsageError);
  Loader::Training few = training();
  few.mixup.num_classes = 2;
  EXPECT_THROW(Loader(*dataset_, walk(1, 2), few, {}), UsageError);
  EvalTransformOptions tiny = evaluation();
  tiny.image_size = 0;
  EXPECT_THROW(Loader(*dataset_, walk(1, 2), tiny, {}), UsageError);
  Loader odd(*dataset_, walk(1, 3), training(), {});  // mixup pairs need an even number
  EXPECT_THROW(odd.next(), UsageError);
  const auto beyond = [](std::uint64_t) -> std::optional<BatchPlan> {
    BatchPlan plan;
    plan.samples = {24, 0};
    return plan;
  };
  Loader out_of_range(*dataset_, beyond, evaluation(), {});
  EXPECT_THROW(out_of_range.next(), std::out_of_range);
}

}  // namespace
}  // namespace casvit::dataio
