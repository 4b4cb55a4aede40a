// Resizing against Pillow: golden/resize.json holds hashes of what Pillow gave.
#include <gtest/gtest.h>

#include <cmath>

#include "dataio/error.h"
#include "dataio/image/resample_kernels.h"
#include "dataio/image/resampler.h"
#include "dataio/image/resize.h"
#include "dataio/random/counter_rng.h"
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

ResampleCoefficients whole(int input, int outputs) {
  ResampleCoefficients result;
  resample_coefficients({input, 0, static_cast<float>(input), outputs, 0, outputs, false},
                        Interpolation::kBicubic, result);
  return result;
}

TEST(Resize, FastCoefficientsEqualPortableOnes) {
  ResampleCoefficients fast;
  ResampleCoefficients plain;
  const auto compare = [&](const ResampleAxis& axis) {
    for (const auto interpolation : {Interpolation::kBilinear, Interpolation::kBicubic}) {
      resample_coefficients(axis, interpolation, fast);
      resample_coefficients_portable(axis, interpolation, plain);
      ASSERT_EQ(fast.first, plain.first);
      ASSERT_EQ(fast.count, plain.count);
      ASSERT_EQ(fast.weights, plain.weights) << axis.input_size << " to " << axis.output_size;
      const auto same = [](const WeightPair& a, const WeightPair& b) {
        return a.high == b.high && a.low == b.low;
      };
      ASSERT_TRUE(std::equal(fast.pairs.begin(), fast.pairs.end(), plain.pairs.begin(), same));
    }
  };
  for (int input = 1; input < 300; input += 7) {
    for (const int outputs : {1, 2, 3, 31, 96, 224}) {
      compare({input, 0, static_cast<float>(input), outputs, 0, outputs, false});
      compare({input, 0.3F, static_cast<float>(input) - 0.2F, outputs, outputs / 3, 1, true});
    }
  }
}

TEST(Resize, FastKernelsEqualPortableOnes) {
  const ResampleKernels& fast = resample_kernels();
  const ResampleKernels& plain = portable_resample_kernels();
  std::vector<std::uint8_t> scratch;
  for (const int width : {1, 2, 5, 11, 40, 333}) {
    for (const int outputs : {1, 3, 17, 96, 500}) {
      for (const int rows : {1, 9, 32, 51}) {
        const Image source = synthetic_picture(rows, width, static_cast<std::uint32_t>(outputs));
        const auto coefficients = whole(width, outputs);
        const std::size_t stride = padded_row_bytes(outputs);
        std::vector<std::uint8_t> a(stride * static_cast<std::size_t>(rows));
        std::vector<std::uint8_t> b(a.size());
        const PixelRows in = {source.pixels.data(), source.row_bytes(), rows, width};
        fast.horizontal(in, 0, coefficients, a.data(), scratch);
        plain.horizontal(in, 0, coefficients, b.data(), scratch);
        for (std::size_t y = 0; y < static_cast<std::size_t>(rows); ++y) {
          ASSERT_TRUE(std::equal(&a[y * stride], &a[y * stride] + outputs * 3, &b[y * stride]))
              << width << " to " << outputs << ", row " << y;
        }
      }
    }
  }
  for (const int height : {1, 2, 7, 40}) {
    for (const int width : {1, 10, 11, 43, 130}) {
      const Image source = synthetic_picture(height, width, 3);
      const auto coefficients = whole(height, 5);
      std::vector<std::uint8_t> a(source.row_bytes());
      std::vector<std::uint8_t> b(a.size());
      for (int y = 0; y < 5; ++y) {
        const std::uint8_t* first = source.row(coefficients.first[static_cast<std::size_t>(y)]);
        fast.vertical(first, source.row_bytes(), a.size(), coefficients, y, a.data());
        plain.vertical(first, source.row_bytes(), b.size(), coefficients, y, b.data());
        EXPECT_EQ(a, b) << height << " rows of " << width;
      }
    }
  }
}

/// Whatever part of the result is wanted, it is that part, and only what it reports as needed of
/// the source is read: the rest is not even in memory.
TEST(Resampler, GivesAnyPartOfTheResultMirroredOrNot) {
  CounterRng rng(3, RandomUse::kBootstrap, 0, 0);
  const auto between = [&rng](int low, int high) {
    return low + static_cast<int>(rng.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  Resampler resampler;
  for (int attempt = 0; attempt < 400; ++attempt) {
    const int source_height = between(1, 120);
    const int source_width = between(1, 120);
    const Image source = synthetic_picture(source_height, source_width, 2);
    // Every eighth time a side keeps its size.
    const int height = attempt % 8 == 1 ? source_height : between(1, 90);
    const int width = attempt % 8 == 2 ? source_width : between(1, 90);
    Image all;
    resize(source, height, width, Interpolation::kBicubic, all);

    ResizePlan plan =
        whole_resize(source_height, source_width, height, width, Interpolation::kBicubic);
    plan.wanted.height = between(1, height);
    plan.wanted.width = between(1, width);
    plan.wanted.top = between(0, height - plan.wanted.height);
    plan.wanted.left = between(0, width - plan.wanted.width);
    plan.mirrored = attempt % 2 == 1;
    const PixelBox needed = resampler.plan(plan);
    Image part;
    part.height = needed.height;
    part.width = needed.width;
    for (int y = 0; y < needed.height; ++y) {
      const std::uint8_t* row = source.row(needed.top + y) + std::ptrdiff_t{needed.left} * 3;
      part.pixels.insert(part.pixels.end(), row, row + part.row_bytes());
    }
    resampler.begin(part);
    for (int y = 0; y < plan.wanted.height; ++y) {
      const std::uint8_t* row = resampler.row(y);
      for (int x = 0; x < plan.wanted.width; ++x) {
        const int from = plan.mirrored ? plan.wanted.width - 1 - x : x;
        const std::uint8_t* expected =
            all.row(plan.wanted.top + y) + std::ptrdiff_t{plan.wanted.left + from} * 3;
        ASSERT_TRUE(std::equal(expected, expected + 3, row + std::ptrdiff_t{x} * 3))
            << "attempt " << attempt << " at " << x << ", " << y;
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
