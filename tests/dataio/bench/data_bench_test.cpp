#include "dataio/bench/data_bench.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "dataio/bench/timed_threads.h"
#include "dataio/error.h"
#include "dataio/pack/packer.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

constexpr int kImageSize = 32;

class DataBenchTest : public ::testing::Test {
 protected:
  DataBenchTest() {
    make_image_folder(folder_ / "in", {"a", "b"}, 6);
    PackOptions pack_options;
    pack_options.source = folder_ / "in";
    pack_options.output = folder_ / "data.h5";
    static_cast<void>(pack(pack_options, [](const auto&, auto, auto) {}));
    dataset_ = std::make_unique<Dataset>(std::vector<std::string>{folder_ / "data.h5"});
    options_.transform.image_size = kImageSize;
    options_.threads = 2;
    options_.batch_size = 4;
    options_.seconds = 0.05;
  }

  BenchFigures measure(BenchStage stage) const { return measure_stage(stage, *dataset_, options_); }

  TemporaryFolder folder_;
  std::unique_ptr<Dataset> dataset_;
  DataBenchOptions options_;
};

TEST_F(DataBenchTest, CountsTheBytesThatEachStageMoves) {
  std::uint32_t shortest = UINT32_MAX;
  std::uint32_t longest = 0;
  for (std::uint64_t i = 0; i < dataset_->size(); ++i) {
    shortest = std::min(shortest, dataset_->location(i).length);
    longest = std::max(longest, dataset_->location(i).length);
  }
  const std::uint64_t picture = std::uint64_t{kImageSize} * kImageSize * 3 * sizeof(float);
  const std::uint64_t decoded =
      std::uint64_t{150} * 150 * 3;  // the sample photographs are of one size
  const auto check = [&](BenchStage stage, std::uint64_t written_an_image) {
    const BenchFigures figures = measure(stage);
    SCOPED_TRACE(bench_stage_name(stage));
    EXPECT_GT(figures.images, 0U);
    EXPECT_GE(figures.seconds, options_.seconds);
    EXPECT_GE(figures.bytes_read, figures.images * shortest);
    EXPECT_LE(figures.bytes_read, figures.images * longest);
    EXPECT_EQ(figures.bytes_written, figures.images * written_an_image);
  };
  check(BenchStage::kPread, 0);
  check(BenchStage::kRead, 0);
  check(BenchStage::kDecode, decoded);
  check(BenchStage::kAugment, picture);
  check(BenchStage::kLoader, picture);

  const BenchFigures copy = measure(BenchStage::kCopy);
  EXPECT_EQ(copy.bytes_read, copy.bytes_written);
  EXPECT_GE((copy.bytes_read + copy.bytes_written) / copy.images, picture + shortest - 1);
  EXPECT_LE((copy.bytes_read + copy.bytes_written) / copy.images, picture + longest);
}

TEST_F(DataBenchTest, DamageIsAnErrorOfTheStagesThatCheck) {
  const Dataset::Location at = dataset_->location(3);
  Bytes file = file_bytes(folder_ / "data.h5");
  file[at.offset + at.length / 2] ^= 1;
  write_file(folder_ / "data.h5", file);
  dataset_ = std::make_unique<Dataset>(std::vector<std::string>{folder_ / "data.h5"});
  EXPECT_GT(measure(BenchStage::kPread).images, 0U);
  for (const BenchStage stage :
       {BenchStage::kRead, BenchStage::kDecode, BenchStage::kAugment, BenchStage::kLoader}) {
    EXPECT_THROW(measure(stage), InputError) << bench_stage_name(stage);
  }
}

TEST_F(DataBenchTest, RefusesWhatCannotBe) {
  options_.threads = 0;
  EXPECT_THROW(measure(BenchStage::kRead), UsageError);
  options_.threads = 1;
  options_.seconds = 0;
  EXPECT_THROW(measure(BenchStage::kRead), UsageError);
  options_.seconds = 0.05;
  options_.batch_size = 0;
  EXPECT_THROW(measure(BenchStage::kLoader), UsageError);
}

TEST(RunTimed, DealsEveryPlaceOnceAndPassesErrorsOn) {
  std::mutex mutex;
  std::vector<std::uint64_t> seen;
  const auto record = [&]() -> BenchWork {
    return [&](std::uint64_t k, BenchFigures& figures) {
      const std::lock_guard lock(mutex);
      seen.push_back(k);
      figures.images += 1;
    };
  };
  const BenchFigures figures = run_timed(3, 0.02, record);
  std::sort(seen.begin(), seen.end());
  for (std::uint64_t k = 0; k < seen.size(); ++k) ASSERT_EQ(seen[k], k);
  EXPECT_LT(figures.images, seen.size());  // the warm-up is not counted

  const auto fail = []() -> BenchWork {
    return [](std::uint64_t, BenchFigures&) { throw InputError("broken"); };
  };
  EXPECT_THROW(run_timed(2, 10, fail), InputError);
}

}  // namespace
}  // namespace casvit::dataio
