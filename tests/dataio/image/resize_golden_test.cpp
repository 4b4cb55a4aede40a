// Resizing against Pillow: golden/resize.json holds hashes of what Pillow gave.
#include <gtest/gtest.h>

#include <cmath>

#include "dataio/error.h"
#include "dataio/image/resample_kernels.h"
#include "dataio/image/resize.h"
#include "tests/dataio/golden_data.h"
#include "tests/dataio/synthetic_picture.h"

namespace casvit::dataio {
namespace {

using testing::synthetic_picture;

TEST(ResizeGolden, EqualsPillowBitForBit) {
  const auto golden = testing::read_golden("resize.json");
  ASSERT_GT(golden.at("cases").size(), 100U);
  for (const auto& expected : golden.at("cases")) {
    const Image source = synthetic_picture(expected["source"][0], expected["source"][1],
                                           expected["seed"].get<std::uint32_t>());
    const auto box = expected["box"].get<std::vector<double>>();
    const auto interpolation =
        expected["interpolation"] == "bicubic" ? Interpolation::kBicubic : Interpolation::kBilinear;
    Image result;
    resize(source, {box[0], box[1], box[2], box[3]}, expected["size"][0], expected["size"][1],
           interpolation, result);
    EXPECT_EQ(testing::xxh3(result.pixels), expected["xxh3"]) << expected.dump();
  }
}

/// A view whose rows are further apart than they are long: what RandomResizedCrop resizes.
TEST(Resize, OfARectangleEqualsResizeOfItsCopy) {
  const Image source = synthetic_picture(50, 60, 5);
  const ImageView view = ImageView(source).crop(7, 11, 30, 41);
  Image copy;
  resize(source, {11, 7, 52, 37}, 30, 41, Interpolation::kBicubic, copy);
  for (int y = 0; y < 30; ++y) {
    ASSERT_TRUE(std::equal(copy.row(y), copy.row(y) + copy.row_bytes(), view.row(y))) << y;
  }
  for (const auto& [height, width] : {std::pair{20, 20}, {64, 64}, {30, 9}, {3, 41}, {1, 40}}) {
    Image from_view;
    Image from_copy;
    resize(view, height, width, Interpolation::kBicubic, from_view);
    resize(copy, height, width, Interpolation::kBicubic, from_copy);
    EXPECT_EQ(from_view.pixels, from_copy.pixels) << height << " x " << width;
  }
}

TEST(Resize, FastKernelsEqualPortableOnes) {
  const ResampleKernels& fast = resample_kernels();
  const ResampleKernels& plain = portable_resample_kernels();
  for (const int width : {1, 2, 5, 11, 40, 333}) {
    for (const int outputs : {1, 3, 17, 96, 500}) {
      const Image source = synthetic_picture(9, width, static_cast<std::uint32_t>(outputs));
      const auto coefficients = resample_coefficients(width, 0, static_cast<float>(width), outputs,
                                                      Interpolation::kBicubic);
      std::vector<std::uint8_t> padded = source.pixels;
      padded.resize(padded.size() + kReadAhead);
      std::vector<std::uint8_t> a(static_cast<std::size_t>(outputs) * 9 * 3);
      std::vector<std::uint8_t> b(a.size());
      fast.horizontal(padded.data(), source.row_bytes(), 9, coefficients, a.data());
      plain.horizontal(padded.data(), source.row_bytes(), 9, coefficients, b.data());
      EXPECT_EQ(a, b) << width << " to " << outputs;
    }
  }
  for (const int height : {1, 2, 7, 40}) {
    for (const int width : {1, 10, 11, 43, 130}) {
      const Image source = synthetic_picture(height, width, 3);
      const auto coefficients =
          resample_coefficients(height, 0, static_cast<float>(height), 5, Interpolation::kBicubic);
      std::vector<std::uint8_t> a(source.row_bytes());
      std::vector<std::uint8_t> b(a.size());
      for (int y = 0; y < 5; ++y) {
        const auto index = static_cast<std::size_t>(y);
        const std::uint8_t* first = source.row(coefficients.first[index]);
        const int count = coefficients.count[index];
        fast.vertical(first, source.row_bytes(), a.size(), coefficients.row(y), count, a.data());
        plain.vertical(first, source.row_bytes(), b.size(), coefficients.row(y), count, b.data());
        EXPECT_EQ(a, b) << height << " rows of " << width;
      }
    }
  }
}

TEST(Resize, RefusesWhatCannotBe) {
  const Image source = synthetic_picture(10, 10, 0);
  Image result;
  const auto to = [&](const Box& box, int height, int width) {
    resize(source, box, height, width, Interpolation::kBilinear, result);
  };
  EXPECT_THROW(to({0, 0, 10, 10}, 0, 5), UsageError);
  EXPECT_THROW(to({-1, 0, 10, 10}, 5, 5), UsageError);
  EXPECT_THROW(to({0, 0, 10, 10.5}, 5, 5), UsageError);
  EXPECT_THROW(to({4, 4, 4, 8}, 5, 5), UsageError);
  EXPECT_THROW(to({0, 0, std::nan(""), 8}, 5, 5), UsageError);
}

}  // namespace
}  // namespace casvit::dataio
