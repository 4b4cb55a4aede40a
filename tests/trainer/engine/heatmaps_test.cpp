// Heat maps of a report: which panels there are, what lies under the colours, and what the colours
// say.

#include "trainer/engine/heatmaps.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "dataio/image/decode.h"
#include "dataio/image/jpeg_encode.h"
#include "tests/dataio/container/small_container.h"
#include "trainer/engine/heat_overlay.h"
#include "trainer/engine/judge.h"
#include "trainer/report/heat_colors.h"

namespace casvit::trainer {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

constexpr int kClasses = 3;

dataio::Image plain(int height, int width, const Rgb& color) {
  dataio::Image image{height, width, {}};
  image.pixels.resize(color.size() * static_cast<std::size_t>(height * width));
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = color[i % color.size()];
  }
  return image;
}

Rgb pixel(const dataio::Image& image, int y, int x) {
  const std::uint8_t* at = image.row(y) + 3 * static_cast<std::ptrdiff_t>(x);
  return {at[0], at[1], at[2]};
}

/// 60% of the colour, 40% of a grey.
Rgb mixed(const Rgb& color, double grey) {
  Rgb result{};
  for (std::size_t c = 0; c < 3; ++c) {
    result[c] = static_cast<std::uint8_t>(std::lround(0.6 * color[c] + 0.4 * grey));
  }
  return result;
}

TEST(HeatOverlay, ColoursGreyPixelsBetweenTheLimits) {
  const dataio::Image picture = plain(1, 5, {200, 100, 50});
  const double grey = 0.299 * 200 + 0.587 * 100 + 0.114 * 50;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor map = at::tensor({-1.0F, 2.0F, 3.0F, 4.0F, 9.0F}).view({1, 5});
  const dataio::Image overlay = heat_overlay(picture, map, 2, 4);
  EXPECT_EQ(pixel(overlay, 0, 0), mixed(heat_colors()[0], grey));
  EXPECT_EQ(pixel(overlay, 0, 1), mixed(heat_colors()[0], grey));
  EXPECT_EQ(pixel(overlay, 0, 2), mixed(heat_colors()[128], grey));
  EXPECT_EQ(pixel(overlay, 0, 3), mixed(heat_colors()[255], grey));
  EXPECT_EQ(pixel(overlay, 0, 4), mixed(heat_colors()[255], grey));
  for (const at::Tensor& flat : {at::full({1, 1}, nan), at::zeros({1, 1})}) {
    EXPECT_EQ(heat_overlay(picture, flat, 0, 0).pixels,
              heat_overlay(picture, at::zeros({1, 1}), 0, 1).pixels);
  }
}

TEST(HeatOverlay, EnlargesBilinearlyWithPixelCentresMatched) {
  const at::Tensor map = at::tensor({0.0F, 1.0F, 0.25F, 0.5F, 0.0F, 1.0F}).view({2, 3});
  const auto value = [&](std::int64_t y, std::int64_t x) {
    return static_cast<double>(map[y][x].item<float>());
  };
  const dataio::Image overlay = heat_overlay(plain(12, 24, {0, 0, 0}), map, 0, 1);
  for (int y = 0; y < 12; ++y) {
    for (int x = 0; x < 24; ++x) {
      const double v = std::clamp((y + 0.5) * 2 / 12 - 0.5, 0.0, 1.0);
      const double u = std::clamp((x + 0.5) * 3 / 24 - 0.5, 0.0, 2.0);
      const auto left = std::min<std::int64_t>(static_cast<std::int64_t>(u), 1);
      const double r = u - static_cast<double>(left);
      const double expected = (1 - v) * ((1 - r) * value(0, left) + r * value(0, left + 1)) +
                              v * ((1 - r) * value(1, left) + r * value(1, left + 1));
      const auto step = static_cast<std::size_t>(std::lround(255 * expected));
      const Rgb found = pixel(overlay, y, x);
      const auto lower = mixed(heat_colors()[step > 0 ? step - 1 : 0], 0);
      const auto upper = mixed(heat_colors()[std::min<std::size_t>(step + 1, 255)], 0);
      for (std::size_t c = 0; c < 3; ++c) {  // one step of colour for float32's rounding
        EXPECT_GE(found[c], std::min(lower[c], upper[c]) - 1) << y << " " << x;
        EXPECT_LE(found[c], std::max(lower[c], upper[c]) + 1) << y << " " << x;
      }
    }
  }
}

/// Four pictures of 60 x 40, green with sides that the crop leaves out, and what a model says.
class Heatmaps : public testing::Test {
 protected:
  Heatmaps() {
    dataio::SmallContent content;
    content.description.normalization = transform_.normalization;
    content.class_names = {"a", "b", "c"};
    for (int i = 0; i < 4; ++i) {
      dataio::Image image = plain(40, 60, {30, static_cast<std::uint8_t>(100 + 40 * i), 60});
      for (int y = 0; y < 40; ++y) {
        for (const int x : {0, 1, 2, 57, 58, 59}) {
          image.row(y)[3 * static_cast<std::ptrdiff_t>(x)] = 255;
        }
      }
      dataio::SampleDescription sample;
      content.bytes.push_back(dataio::encode_jpeg(image, 95));
      sample.length = static_cast<std::uint32_t>(content.bytes.back().size());
      sample.height = 40;
      sample.width = 60;
      sample.label = i % kClasses;
      sample.source = std::to_string(i) + ".jpg";
      content.samples.push_back(sample);
    }
    dataio::write_container(path(), content);
    data_.emplace(std::vector<std::string>{path()});
    model_.initialise(3);
    // Sample 1 is a surer mistake than sample 0; 2 is a surer right answer than 3.
    evaluation_ = {.classes = kClasses,
                   .top_k = kClasses,
                   .sample = {},
                   .label = {},
                   .top = {},
                   .probability = {},
                   .loss = {}};
    say(0, 0, {1, 2, 0});
    say(1, 1, {0, 0, 9});
    say(2, 2, {0, 0, 9});
    say(3, 0, {1, 0, 0});
  }

  void say(std::uint64_t sample, std::int32_t label, const std::array<float, kClasses>& logits) {
    judge(logits.data(), sample, label, evaluation_);
  }
  std::string path() const { return folder_ / "pictures.h5"; }
  std::vector<Heatmap> found() const { return heatmaps(model_, evaluation_, *data_, transform_); }

  static std::vector<std::uint64_t> samples(const std::vector<Heatmap>& maps) {
    std::vector<std::uint64_t> result;
    for (const Heatmap& one : maps) result.push_back(one.sample);
    return result;
  }

  static dataio::Image decoded(const Heatmap::Panel& panel) {
    const std::string& bytes = panel.picture.bytes;
    return dataio::decode_image(
        {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  }

  dataio::TemporaryFolder folder_;
  dataio::EvalTransformOptions transform_ = [] {
    dataio::EvalTransformOptions options;
    options.image_size = 64;
    options.crop_ratio = 0.9;
    return options;
  }();
  std::optional<dataio::Dataset> data_;
  Rcvit model_ = [] {
    RcvitOptions options = rcvit_options("rcvit_xs");
    options.num_classes = kClasses;
    return Rcvit(options, at::kFloat, at::kCPU);
  }();
  Evaluation evaluation_;
};

TEST_F(Heatmaps, AreOfMistakesThenOfRightAnswers) {
  const std::vector<Heatmap> maps = found();
  EXPECT_THAT(samples(maps), ElementsAre(1, 0, 2, 3));
  std::vector<std::string> captions;
  for (const Heatmap& one : maps) {
    ASSERT_EQ(one.panels.size(), 9U);
    captions.push_back(one.panels[2].caption);
    for (const Heatmap::Panel& panel : one.panels) {
      EXPECT_EQ(panel.picture.media_type, "image/jpeg");
      const dataio::Image image = decoded(panel);
      EXPECT_EQ(image.height, kThumbnailSide);
      EXPECT_EQ(image.width, kThumbnailSide);
    }
    EXPECT_THAT(one.panels[3].caption,
                MatchesRegex("stage 2: spatial gate, 0\\.[0-9]+ to 0\\.[0-9]+"));
  }
  EXPECT_THAT(captions,
              ElementsAre("evidence for the true class", "evidence for the true class",
                          "evidence for its second guess", "evidence for its second guess"));
}

TEST_F(Heatmaps, ShowTheCropThatWasEvaluated) {
  const dataio::Image picture = decoded(found()[1].panels[0]);
  for (const int x : {0, 1, 72, 142, 143}) {
    const Rgb color = pixel(picture, 72, x);
    EXPECT_NEAR(color[0], 30, 6) << "the sides are cut off; column " << x;
    EXPECT_NEAR(color[1], 100, 6) << x;
    EXPECT_NEAR(color[2], 60, 6) << x;
  }
}

TEST_F(Heatmaps, APictureThatCannotBeReadIsLeftOut) {
  const dataio::Dataset::Location place = data_->location(0);
  std::fstream file(path(), std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(place.offset) + place.length / 2);
  file.write("damaged", 7);
  file.close();
  EXPECT_THAT(samples(found()), ElementsAre(1, 2, 3));
}

TEST_F(Heatmaps, TheTwoMapsOfEvidenceShareOneScale) {
  // With the head's other rows at nothing, no class but 2 can have evidence.
  at::Tensor head = model_.state().entry("head.weight").tensor;
  head.zero_();
  head[2].fill_(0.5);
  const std::vector<Heatmap> maps = found();
  const dataio::Image picture = decoded(maps[0].panels[0]);
  const dataio::Image other = decoded(maps[0].panels[2]);  // for class 1
  const dataio::Image least = heat_overlay(picture, at::zeros({1, 1}), 0, 1);
  for (const int at : {20, 72, 120}) {
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(pixel(other, at, at)[c], pixel(least, at, at)[c], 8);
    }
  }
  EXPECT_NE(maps[0].panels[1].picture.bytes, maps[0].panels[2].picture.bytes);
}

}  // namespace
}  // namespace casvit::trainer
