// Rectangles of JPEGs against libjpeg's decoding of the whole picture: pictures of every kind made
// with libjpeg here, sound and damaged.
// jpeglib.h needs FILE and size_t before it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
// clang-format on

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "dataio/error.h"
#include "dataio/image/decode.h"
#include "dataio/image/jpeg/region_decoder.h"
#include "dataio/random/counter_rng.h"
#include "tests/dataio/seedlings.h"
#include "tests/dataio/synthetic_picture.h"

namespace casvit::dataio {
namespace {

struct Factors {
  int horizontal, vertical;
};

struct Encoding {
  int components = 3;
  Factors factors[3] = {{1, 1}, {1, 1}, {1, 1}};
  int quality = 90;
  bool optimized = false;
  int restart_interval = 0;  // MCUs
  bool progressive = false;
};

Bytes encode(const Image& image, const Encoding& encoding) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, encoding.components == 1 ? JCS_GRAYSCALE : JCS_YCbCr);
  jpeg_set_quality(&info, encoding.quality, TRUE);
  for (int c = 0; c < encoding.components; ++c) {
    info.comp_info[c].h_samp_factor = encoding.factors[c].horizontal;
    info.comp_info[c].v_samp_factor = encoding.factors[c].vertical;
  }
  info.optimize_coding = encoding.optimized ? TRUE : FALSE;
  info.restart_interval = static_cast<unsigned>(encoding.restart_interval);
  if (encoding.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(image.row(static_cast<int>(info.next_scanline)));
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const Bytes bytes(buffer, buffer + size);
  std::free(buffer);
  return bytes;
}

class JpegRegion : public ::testing::Test {
 protected:
  int between(int low, int high) {
    return low + static_cast<int>(rng_.below(static_cast<std::uint64_t>(high - low + 1)));
  }

  PixelBox random_region(int height, int width) {
    PixelBox region;
    region.height = between(1, height);
    region.width = between(1, width);
    region.top = between(0, height - region.height);
    region.left = between(0, width - region.width);
    return region;
  }

  Encoding random_encoding() {
    static const std::vector<std::array<Factors, 3>> kSamplings = {
        {{{1, 1}, {1, 1}, {1, 1}}}, {{{2, 2}, {1, 1}, {1, 1}}}, {{{2, 1}, {1, 1}, {1, 1}}},
        {{{1, 2}, {1, 1}, {1, 1}}}, {{{4, 1}, {1, 1}, {1, 1}}}, {{{4, 2}, {1, 1}, {1, 1}}},
        {{{2, 2}, {2, 1}, {1, 2}}}, {{{1, 1}, {2, 2}, {2, 1}}}, {{{2, 1}, {1, 1}, {2, 1}}},
        {{{1, 4}, {1, 1}, {1, 2}}}, {{{2, 2}, {2, 2}, {1, 1}}}, {{{3, 1}, {1, 1}, {1, 1}}},
    };
    Encoding encoding;
    const auto& factors = kSamplings[rng_.below(kSamplings.size())];
    std::copy(factors.begin(), factors.end(), encoding.factors);
    encoding.components = between(0, 7) == 0 ? 1 : 3;
    encoding.quality = between(1, 100);
    encoding.optimized = between(0, 1) == 1;
    encoding.restart_interval = between(0, 2) == 0 ? between(1, 9) : 0;
    return encoding;
  }

  /// Every third is a photograph's part, with long runs of zeros and smooth colours.
  Image random_picture() {
    const int height = between(1, 90);
    const int width = between(1, 90);
    if (between(0, 2) > 0) {
      return testing::synthetic_picture(height, width, static_cast<std::uint32_t>(between(0, 2)));
    }
    const Image whole = decode_image(photograph(static_cast<std::size_t>(between(0, 29))));
    Image part;
    part.height = height;
    part.width = width;
    for (int y = 0; y < height; ++y) {
      part.pixels.insert(part.pixels.end(), whole.row(y + 30), whole.row(y + 30) + width * 3);
    }
    return part;
  }

  CounterRng rng_{8, RandomUse::kBootstrap, 0, 0};
};

bool equals_part(const Bytes& pixels, const PixelBox& region, const Image& whole) {
  const std::size_t row_bytes = static_cast<std::size_t>(region.width) * 3;
  for (int y = 0; y < region.height; ++y) {
    const std::uint8_t* expected =
        whole.row(region.top + y) + static_cast<std::ptrdiff_t>(region.left) * 3;
    if (std::memcmp(expected, pixels.data() + static_cast<std::size_t>(y) * row_bytes, row_bytes) !=
        0) {
      return false;
    }
  }
  return true;
}

/// The region's pixels, or nothing where the decoder leaves the picture to libjpeg. Exactly as much
/// memory as they need, so that sanitizers see what goes beyond.
Bytes decoded(jpeg::RegionDecoder& decoder, const Bytes& jpeg, const PixelBox& region) {
  const std::size_t stride = static_cast<std::size_t>(region.width) * 3;
  Bytes pixels(stride * static_cast<std::size_t>(region.height));
  if (!decoder.open(jpeg) || !decoder.decode(region, pixels.data(), stride)) return {};
  return pixels;
}

TEST_F(JpegRegion, EqualsThePartOfTheWholePicture) {
  jpeg::RegionDecoder fast;
  jpeg::RegionDecoder portable(jpeg::portable_kernels());
  for (int attempt = 0; attempt < 400; ++attempt) {
    const Encoding encoding = random_encoding();
    const Bytes jpeg = encode(random_picture(), encoding);
    const Image whole = decode_image(jpeg);
    for (int i = 0; i < 4; ++i) {
      const PixelBox region = i == 0 ? PixelBox{0, 0, whole.height, whole.width}
                                     : random_region(whole.height, whole.width);
      for (jpeg::RegionDecoder* decoder : {&fast, &portable}) {
        const Bytes pixels = decoded(*decoder, jpeg, region);
        // A factor of 3 beside one of 2 has no whole ratio; of these samplings none is like that.
        ASSERT_FALSE(pixels.empty()) << "attempt " << attempt;
        ASSERT_TRUE(equals_part(pixels, region, whole))
            << "attempt " << attempt << ": " << region.width << " x " << region.height << " at "
            << region.left << ", " << region.top << " of " << whole.width << " x " << whole.height
            << ", quality " << encoding.quality << ", luma " << encoding.factors[0].horizontal
            << " x " << encoding.factors[0].vertical;
      }
    }
  }
}

TEST_F(JpegRegion, LeavesOtherKindsToLibjpeg) {
  Encoding encoding;
  encoding.progressive = true;
  const Bytes jpeg = encode(testing::synthetic_picture(40, 50, 2), encoding);
  jpeg::RegionDecoder decoder;
  EXPECT_FALSE(decoder.open(jpeg));
  const Image whole = decode_image(jpeg);
  DecodeScratch scratch;
  const ImageView part = decode_region(jpeg, 40, 50, {3, 5, 20, 30}, scratch);
  for (int y = 0; y < 20; ++y) {
    EXPECT_EQ(std::memcmp(part.row(y), whole.row(3 + y) + 5 * 3, 30 * 3), 0);
  }
}

/// What libjpeg calls corrupt within the rectangle's rows is never decoded to something.
TEST_F(JpegRegion, DamageIsAnErrorOrGivesLibjpegsPixels) {
  jpeg::RegionDecoder fast;
  jpeg::RegionDecoder portable(jpeg::portable_kernels());
  int left_to_libjpeg = 0;
  int equal = 0;
  for (int attempt = 0; attempt < 2500; ++attempt) {
    Bytes jpeg = encode(random_picture(), random_encoding());
    const int faults = between(1, 3);
    for (int i = 0; i < faults; ++i) {
      const std::uint64_t at = 2 + rng_.below(jpeg.size() - 2);
      jpeg[at] = static_cast<std::uint8_t>(rng_.below(256));
    }
    if (between(0, 9) == 0) jpeg.resize(rng_.below(jpeg.size()));
    for (jpeg::RegionDecoder* decoder : {&fast, &portable}) {
      if (!decoder->open(jpeg) || decoder->height() * decoder->width() > 1'000'000) continue;
      const PixelBox all = {0, 0, decoder->height(), decoder->width()};
      const Bytes pixels = decoded(*decoder, jpeg, all);
      static_cast<void>(decoded(*decoder, jpeg, random_region(all.height, all.width)));
      if (pixels.empty()) {
        ++left_to_libjpeg;
        continue;
      }
      Image whole;
      ASSERT_NO_THROW(whole = decode_image(jpeg)) << "attempt " << attempt;
      ASSERT_TRUE(equals_part(pixels, all, whole)) << "attempt " << attempt;
      ++equal;
    }
  }
  EXPECT_GT(left_to_libjpeg, 500);
  EXPECT_GT(equal, 500);
}

TEST_F(JpegRegion, NothingBehindItsLastRowIsLookedAt) {
  Encoding encoding;
  encoding.factors[0] = {2, 2};
  Bytes jpeg = encode(testing::synthetic_picture(90, 80, 2), encoding);
  jpeg[jpeg.size() - 40] ^= 0x55;
  jpeg.resize(jpeg.size() - 20);  // no end marker: libjpeg refuses all of it
  EXPECT_THROW(decode_image(jpeg), InputError);
  // But a scan without an end is none.
  DecodeScratch scratch;
  EXPECT_THROW(decode_region(jpeg, 90, 80, {0, 0, 20, 20}, scratch), InputError);
  jpeg.push_back(0xFF);
  jpeg.push_back(0xD9);
  EXPECT_NO_THROW(decode_region(jpeg, 90, 80, {0, 0, 20, 20}, scratch));
  EXPECT_THROW(decode_region(jpeg, 90, 80, {70, 0, 20, 20}, scratch), InputError);
  EXPECT_THROW(decode_image(jpeg), InputError);
}

TEST_F(JpegRegion, AnotherSizeThanTheIndexSaysIsRefused) {
  const Bytes jpeg = photograph();
  DecodeScratch scratch;
  EXPECT_NO_THROW(decode_region(jpeg, 150, 150, {0, 0, 9, 9}, scratch));
  EXPECT_THROW(decode_region(jpeg, 151, 150, {0, 0, 9, 9}, scratch), InputError);
  EXPECT_THROW(decode_region(jpeg, 150, 149, {0, 0, 9, 9}, scratch), InputError);
}

TEST_F(JpegRegion, EveryFormatGivesItsPart) {
  DecodeScratch scratch;
  for (const auto& entry : std::filesystem::directory_iterator("dataio/golden/pictures")) {
    const Bytes bytes = file_bytes(entry.path().string());
    const Image whole = decode_image(bytes);
    for (int i = 0; i < 3; ++i) {
      const PixelBox region = random_region(whole.height, whole.width);
      const ImageView part = decode_region(bytes, whole.height, whole.width, region, scratch);
      ASSERT_EQ(part.height, region.height);
      ASSERT_EQ(part.width, region.width);
      for (int y = 0; y < region.height; ++y) {
        const std::uint8_t* expected =
            whole.row(region.top + y) + static_cast<std::ptrdiff_t>(region.left) * 3;
        ASSERT_TRUE(std::equal(expected, expected + region.width * 3, part.row(y))) << entry.path();
      }
    }
  }
}

TEST_F(JpegRegion, TransformsAreTheSameWhateverTheCoefficients) {
  for (int attempt = 0; attempt < 3000; ++attempt) {
    alignas(32) jpeg::Block blocks[3] = {};
    std::uint16_t quantization[64];
    const int largest = 1 << between(1, 15);
    for (std::uint16_t& factor : quantization) {
      factor = static_cast<std::uint16_t>(attempt % 2 == 0 ? between(1, 255) : between(1, 65535));
    }
    for (jpeg::Block& block : blocks) {
      const int kind = between(0, 3);  // 0: the first row alone
      for (int i = 0; i < (kind == 0 ? 8 : 64); ++i) {
        if (between(0, kind) == 0)
          block[i] = static_cast<std::int16_t>(between(-largest, largest - 1));
      }
    }
    Bytes expected(24 * 8);
    Bytes found(24 * 8);
    jpeg::inverse_dct_portable(blocks, quantization, 3, expected.data(), 24);
    jpeg::fastest_kernels().inverse_dct(blocks, quantization, 3, found.data(), 24);
    ASSERT_EQ(found, expected) << "attempt " << attempt;
  }
}

TEST_F(JpegRegion, ColoursAreTheSameForEveryPair) {
  const auto& plain = *jpeg::portable_kernels().rows;
  const auto& fast = *jpeg::fastest_kernels().rows;
  Bytes luma(256 + jpeg::kRowSlack);
  Bytes blue(256 + jpeg::kRowSlack);
  Bytes red(256 + jpeg::kRowSlack);
  for (std::size_t i = 0; i < 256; ++i) blue[i] = static_cast<std::uint8_t>(i);
  for (int level = 0; level < 256; ++level) {
    std::fill(red.begin(), red.end(), static_cast<std::uint8_t>(level));
    for (std::size_t i = 0; i < 256; ++i) luma[i] = static_cast<std::uint8_t>(i * 7 + red[0]);
    const std::size_t count = 255 - static_cast<std::size_t>(level % 3);
    Bytes expected(count * 3);
    Bytes found(count * 3);
    plain.ycc_to_rgb(luma.data(), blue.data(), red.data(), count, expected.data());
    fast.ycc_to_rgb(luma.data(), blue.data(), red.data(), count, found.data());
    ASSERT_EQ(found, expected) << "red " << level;
  }
}

}  // namespace
}  // namespace casvit::dataio
