// Training on a file with a damaged picture: an error that names it, or another picture in its
// place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <span>

#include "dataio/error.h"
#include "dataio/loader/loader.h"
#include "dataio/pack/packer.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

using ::testing::HasSubstr;

constexpr int kImageSize = 32;
constexpr std::size_t kImageFloats = std::size_t{kImageSize} * kImageSize * 3;
constexpr std::uint64_t kSamples = 24;

class ReplacementTest : public ::testing::Test {
 protected:
  ReplacementTest() {
    make_image_folder(folder_ / "in", {"a", "b", "c"}, kSamples / 3);
    PackOptions options;
    options.source = folder_ / "in";
    options.output = folder_ / "data.h5";
    static_cast<void>(pack(options, [](const auto&, auto, auto) {}));
    open();
  }

  void open() {
    dataset_ = std::make_unique<Dataset>(std::vector<std::string>{folder_ / "data.h5"});
  }

  void damage(const std::vector<std::uint64_t>& samples) {
    Bytes file = file_bytes(folder_ / "data.h5");
    for (const std::uint64_t sample : samples) {
      const Dataset::Location at = dataset_->location(sample);
      file[at.offset + at.length / 2] ^= 1;
    }
    write_file(folder_ / "data.h5", file);
    open();
  }

  /// Two epochs of everything in order, in batches of 8.
  static std::optional<BatchPlan> plan(std::uint64_t k) {
    if (k >= 2 * kSamples / 8) return std::nullopt;
    BatchPlan batch;
    batch.epoch = k * 8 / kSamples;
    batch.step = k;
    for (std::uint64_t i = 0; i < 8; ++i) batch.samples.push_back((k * 8 + i) % kSamples);
    return batch;
  }

  static Loader::Training training(bool replace) {
    Loader::Training training;
    training.transform.image_size = kImageSize;
    training.mixup.num_classes = 3;
    training.seed = 5;
    training.replace_corrupt = replace;
    return training;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Dataset> dataset_;
};

struct Seen {
  std::vector<float> pixels;
  std::vector<float> targets;
  std::vector<std::int32_t> labels;
  std::vector<Replacement> replaced;
  std::vector<std::uint64_t> epochs;  ///< of the replacements
};

Seen see(Loader& loader) {
  Seen seen;
  while (const std::optional<Batch> batch = loader.next()) {
    const std::size_t floats = batch->plan.samples.size() * kImageFloats;
    seen.pixels.insert(seen.pixels.end(), batch->images.get(), batch->images.get() + floats);
    seen.targets.insert(seen.targets.end(), batch->targets.begin(), batch->targets.end());
    seen.labels.insert(seen.labels.end(), batch->labels.begin(), batch->labels.end());
    for (const Replacement& replacement : batch->replaced) {
      seen.replaced.push_back(replacement);
      seen.epochs.push_back(batch->plan.epoch);
    }
  }
  return seen;
}

TEST_F(ReplacementTest, AnotherPictureTakesThePlaceWhateverTheThreads) {
  Loader whole_loader(*dataset_, plan, training(true), {.threads = 2});
  const Seen whole = see(whole_loader);
  EXPECT_TRUE(whole.replaced.empty());
  damage({3, 17});
  Loader alone(*dataset_, plan, training(true), {.threads = 1});
  const Seen seen = see(alone);

  ASSERT_EQ(seen.replaced.size(), 4U);  // two pictures in two epochs
  for (std::size_t i = 0; i < 4; ++i) {
    const Replacement& replacement = seen.replaced[i];
    EXPECT_EQ(replacement.sample, i % 2 == 0 ? 3U : 17U);
    EXPECT_NE(replacement.by, 3U);
    EXPECT_NE(replacement.by, 17U);
    EXPECT_THAT(replacement.reason,
                HasSubstr("sample " + std::to_string(replacement.sample) + " ("));
    EXPECT_THAT(replacement.reason, HasSubstr(".jpg"));
    const std::size_t place = seen.epochs[i] * kSamples + replacement.sample;
    const std::int32_t label = dataset_->label(replacement.by);
    EXPECT_EQ(seen.labels[place], label);
    EXPECT_GT(seen.targets[place * 3 + static_cast<std::size_t>(label)], 0.5F);
    std::vector<float> expected(kImageFloats);
    Bytes scratch;
    train_transform(dataset_->decode(replacement.by, scratch), training(true).transform,
                    {.seed = 5, .epoch = seen.epochs[i], .sample = replacement.sample},
                    expected.data());
    const auto pixels = std::span(seen.pixels).subspan(place * kImageFloats, kImageFloats);
    EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), expected.begin()));
  }
  // All others are what they are without damage.
  for (std::size_t place = 0; place < 2 * kSamples; ++place) {
    if (place % kSamples == 3 || place % kSamples == 17) continue;
    const auto at = static_cast<std::ptrdiff_t>(place * kImageFloats);
    EXPECT_TRUE(std::equal(seen.pixels.begin() + at, seen.pixels.begin() + at + kImageFloats,
                           whole.pixels.begin() + at));
  }
  for (const int threads : {2, 5}) {
    Loader loader(*dataset_, plan, training(true), {.threads = threads});
    const Seen again = see(loader);
    EXPECT_EQ(again.pixels, seen.pixels);
    EXPECT_EQ(again.targets, seen.targets);
    EXPECT_EQ(again.labels, seen.labels);
    ASSERT_EQ(again.replaced.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(again.replaced[i].by, seen.replaced[i].by);
  }
}

TEST_F(ReplacementTest, IsAnErrorUnlessAskedForAndInEvaluationAlways) {
  damage({3});
  Loader fails(*dataset_, plan, training(false), {.threads = 2});
  EXPECT_THROW(see(fails), InputError);
  EvalTransformOptions evaluation;
  evaluation.image_size = kImageSize;
  Loader evaluates(*dataset_, plan, evaluation, {.threads = 2});
  EXPECT_THROW(see(evaluates), InputError);
}

TEST_F(ReplacementTest, GivesUpWhereNearlyEverythingIsDamaged) {
  std::vector<std::uint64_t> all(kSamples);
  for (std::uint64_t i = 0; i < kSamples; ++i) all[i] = i;
  damage(all);
  Loader loader(*dataset_, plan, training(true), {.threads = 2});
  try {
    see(loader);
    FAIL() << "nothing could be read";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("sample 0 ("));
    EXPECT_THAT(error.what(), HasSubstr("casvit-pack verify"));
  }
}

}  // namespace
}  // namespace casvit::dataio
