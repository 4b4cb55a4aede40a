// casvit-pack preview shows the very pictures that training sees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "dataio/augment/mixup.h"
#include "dataio/container/dataset.h"
#include "dataio/image/decode.h"
#include "dataio/pack/packer.h"
#include "dataio/preview/contact_sheet.h"
#include "dataio/random/sample_order.h"
#include "tests/dataio/preview/picture_search.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

using ::testing::HasSubstr;

constexpr int kSize = 48;

class PreviewCommand : public ::testing::Test {
 protected:
  PreviewCommand() {
    make_image_folder(folder_ / "in", {"Birch", "M\xc3\xa4is", "\xe7\x99\xbd"}, 6);
    PackOptions options;
    options.source = folder_ / "in";
    options.output = folder_ / "data.h5";
    static_cast<void>(pack(options, [](const auto&, auto, auto) {}));
    dataset_ = std::make_unique<Dataset>(std::vector<std::string>{folder_ / "data.h5"});
    const std::string recipe =
        "data: {train: '" + (folder_ / "data.h5") + "'}\n" +
        "model: {image_size: 48}\ntrain: {seed: 21}\nbatch: {shards: 2, shard_size: 4}\n"
        "augment: {rand_augment: rand-m9-mstd0.5-inc1, erase_prob: 0.5}\n"
        "loss: {label_smoothing: 0.1}\n";
    write_file(folder_ / "recipe.yaml", {recipe.begin(), recipe.end()});
  }

  /// Runs `casvit-pack preview`; returns its exit code, with what it printed in out_ and err_.
  int run(const std::string& arguments) {
    const char* bin = std::getenv("CASVIT_BIN");
    const std::string program = std::string(bin != nullptr ? bin : "bin") + "/casvit-pack";
    const std::string command = "'" + program + "' preview " + arguments + " >'" +
                                (folder_ / "stdout") + "' 2>'" + (folder_ / "stderr") + "'";
    const int status = std::system(command.c_str());
    const auto text = [&](const char* name) {
      const Bytes bytes = file_bytes(folder_ / name);
      return std::string(bytes.begin(), bytes.end());
    };
    out_ = text("stdout");
    err_ = text("stderr");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string recipe() const { return "--config '" + (folder_ / "recipe.yaml") + "'"; }
  std::string to(const std::string& name) const { return " -o '" + (folder_ / name) + "' "; }
  Image sheet(const std::string& name) const { return decode_image(file_bytes(folder_ / name)); }

  static TrainTransformOptions transform() {
    TrainTransformOptions options;
    options.image_size = kSize;
    options.rand_augment = "rand-m9-mstd0.5-inc1";
    options.erasing.probability = 0.5;
    return options;
  }

  std::vector<float> augmented(std::uint64_t epoch, std::uint64_t sample) const {
    TrainTransformOptions options = transform();
    options.normalization = dataset_->normalization();
    std::vector<float> pixels(std::size_t{kSize} * kSize * 3);
    Bytes bytes;
    train_transform(dataset_->decode(sample, bytes), options, {21, epoch, sample}, pixels.data());
    return pixels;
  }

  Image look_of(const std::vector<float>& pixels) const {
    return denormalized(pixels, kSize, dataset_->normalization());
  }

  TemporaryFolder folder_;
  std::unique_ptr<Dataset> dataset_;
  std::string out_, err_;
};

TEST_F(PreviewCommand, ShowsEachEpochsPictureAsTrainingSeesIt) {
  ASSERT_EQ(run(recipe() + to("a.png") + "--sample 3 --sample 11 --epoch 2 --epochs 3 --json"), 0)
      << err_;
  const Image drawn = sheet("a.png");
  for (const std::uint64_t sample : {3U, 11U}) {
    for (const std::uint64_t epoch : {1U, 2U, 3U}) {
      EXPECT_TRUE(holds(drawn, look_of(augmented(epoch, sample)))) << sample << " " << epoch;
    }
    EXPECT_FALSE(holds(drawn, look_of(augmented(0, sample))));
  }
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["width"], drawn.width);
  EXPECT_EQ(json["seed"], 21);
  EXPECT_EQ(json["samples"][1]["sample"], 11);
  EXPECT_EQ(json["samples"][1]["class_name"], "M\xc3\xa4is");
}

TEST_F(PreviewCommand, BeginsWithTheSamplesThatTheEpochBeginsWith) {
  ASSERT_EQ(run(recipe() + to("a.png") + "--count 4 --epochs 1 --json"), 0) << err_;
  const SampleOrder order = SampleOrder::shuffled(21, dataset_->size());
  const auto json = nlohmann::json::parse(out_);
  ASSERT_EQ(json["samples"].size(), 4U);
  for (std::size_t p = 0; p < 4; ++p) EXPECT_EQ(json["samples"][p]["sample"], order.at(0, p));
}

TEST_F(PreviewCommand, ShowsAShardOfAStepAfterMixup) {
  ASSERT_EQ(run(recipe() + to("a.png") +
                "--set mixup.mixup_alpha=0.8 --set mixup.cutmix_alpha=1 --step 2 --shard 2 --json"),
            0)
      << err_;
  // Step 2 has positions 8 to 15 of the first epoch, its second shard the last four of them.
  const SampleOrder order = SampleOrder::shuffled(21, dataset_->size());
  std::vector<float> shard;
  std::vector<std::int32_t> labels;
  for (std::uint64_t p = 12; p < 16; ++p) {
    const auto pixels = augmented(0, order.at(0, p));
    shard.insert(shard.end(), pixels.begin(), pixels.end());
    labels.push_back(dataset_->label(order.at(0, p)));
  }
  MixupOptions options;
  options.mixup_alpha = 0.8;
  options.cutmix_alpha = 1;
  options.num_classes = 3;
  options.label_smoothing = 0.1;
  std::vector<float> targets(12);
  apply_mixup(shard, 4, kSize, labels, options, {21, 1, 1}, targets);
  const Image drawn = sheet("a.png");
  const auto json = nlohmann::json::parse(out_);
  const std::size_t floats = shard.size() / 4;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto first = shard.begin() + static_cast<std::ptrdiff_t>(i * floats);
    EXPECT_TRUE(holds(drawn, look_of({first, first + static_cast<std::ptrdiff_t>(floats)}))) << i;
    for (const auto& [name, share] : json["samples"][i]["shares"].items()) {
      const auto at = std::ranges::find(dataset_->class_names(), name);
      const auto label = static_cast<std::size_t>(at - dataset_->class_names().begin());
      EXPECT_NEAR(share.get<double>() * 0.9 + 0.1 / 3, targets[i * 3 + label], 1e-6);
    }
  }
}

TEST_F(PreviewCommand, ShowsTheImageSizeOfItsStep) {
  const std::string sizes =
      " --set multi_scale.rule=pixels --set multi_scale.min_size=32 --set multi_scale.max_size=96";
  std::set<int> seen;
  for (const char* step : {"1", "2", "3", "4", "5", "6"}) {
    ASSERT_EQ(run(recipe() + to("a.png") + sizes + " --json --step " + step), 0) << err_;
    const auto json = nlohmann::json::parse(out_);
    const int size = json["image_size"];
    seen.insert(size);
    const auto pictures = static_cast<int>(json["samples"].size());
    EXPECT_EQ(pictures, size == 32 ? 8 : 2) << size;  // 4 x 48 x 48 pixels at most, and even
  }
  EXPECT_GT(seen.size(), 1U);
}

TEST_F(PreviewCommand, RefusesWhatThereIsNot) {
  const auto refused = [&](const std::string& arguments, const std::string& message) {
    EXPECT_EQ(run(arguments), 2) << arguments;
    EXPECT_THAT(err_, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "a.png"));
  };
  refused(to("a.png"), "name a packed file");
  refused(recipe() + to("a.png") + "--sample 18", "the data hold 18");
  refused(recipe() + to("a.png") + "--step 1000", "200 steps");
  refused(recipe() + to("a.png") + "--step 1 --shard 3", "batch.shards");
  refused(recipe() + to("a.png") + "--step 1 --sample 3", "--sample");
  refused(recipe() + to("a.png") + "--set augment.hue=2", "augment.hue is 2");
  EXPECT_EQ(run("'" + (folder_ / "none.h5") + "'" + to("a.png")), 3);
  EXPECT_EQ(run(recipe() + to("missing/a.png")), 6);
}

}  // namespace
}  // namespace casvit::dataio
