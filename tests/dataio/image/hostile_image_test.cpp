// Bytes that are no picture, or no longer one: always an InputError, never a crash, never pixels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "dataio/error.h"
#include "dataio/image/decode.h"
#include "dataio/random/counter_rng.h"
#include "tests/dataio/golden_data.h"

namespace casvit::dataio {
namespace {

using Bytes = std::vector<std::uint8_t>;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Bytes picture(const std::string& name) {
  return testing::read_bytes(testing::kGoldenFolder + "pictures/" + name);
}

std::vector<std::string> all_pictures() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(testing::kGoldenFolder + "pictures")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Bytes text(const std::string& letters) { return {letters.begin(), letters.end()}; }

TEST(HostileImage, OtherFilesAreNamedForWhatTheyAreNot) {
  for (const Bytes& bytes : {text("just a text file"), text("GIF89a....."), text("\xFF\xD8"),
                             text("RIFF\1\2\3\4WAVEfmt ")}) {
    EXPECT_EQ(sniff_codec(bytes), std::nullopt);
    EXPECT_THAT([&] { decode_image(bytes); },
                ThrowsMessage<InputError>(HasSubstr("not a JPEG, PNG or WebP picture")));
    EXPECT_THAT([&] { read_image_header(bytes); },
                ThrowsMessage<InputError>(HasSubstr("not a JPEG, PNG or WebP picture")));
  }
  EXPECT_THAT([] { decode_image({}); }, ThrowsMessage<InputError>(HasSubstr("empty file")));
}

TEST(HostileImage, EveryTruncationIsRefused) {
  for (const std::string& name : all_pictures()) {
    if (name == "jpeg-behind-end.jpg") continue;  // its last bytes are not part of the picture
    const Bytes whole = picture(name);
    // Small files at every length, others at about 400.
    const std::size_t step = 1 + whole.size() / 400;
    for (std::size_t length = 0; length < whole.size(); length += step) {
      const std::span<const std::uint8_t> part(whole.data(), length);
      EXPECT_THROW(decode_image(part), InputError) << name << " cut to " << length;
      EXPECT_THROW(check_image_structure(part), InputError) << name << " cut to " << length;
    }
    const std::span<const std::uint8_t> part(whole.data(), whole.size() - 1);
    EXPECT_THROW(decode_image(part), InputError) << name << " without its last byte";
  }
}

TEST(HostileImage, DamagedBytesNeverCrash) {
  CounterRng rng(1, RandomUse::kBootstrap, 0, 0);
  int refused = 0;
  int decoded = 0;
  for (const std::string& name : all_pictures()) {
    const Bytes whole = picture(name);
    for (int attempt = 0; attempt < 60; ++attempt) {
      Bytes damaged = whole;
      for (std::uint64_t i = 0; i <= rng.below(4); ++i) {
        damaged[rng.below(damaged.size())] = static_cast<std::uint8_t>(rng.next_u32());
      }
      try {
        const Image image = decode_image(damaged, 1 << 22);
        ASSERT_EQ(image.pixels.size(), static_cast<std::size_t>(image.height) * image.row_bytes());
        ++decoded;
      } catch (const InputError&) {
        ++refused;
      }
      try {
        check_image_structure(damaged, 1 << 22);
      } catch (const InputError&) {
      }
    }
  }
  EXPECT_GT(refused, 1000);
  EXPECT_GT(decoded, 100);  // e.g. a damaged value in a baseline JPEG's tables
}

TEST(HostileImage, EveryDamagedByteOfAPngIsFound) {
  const Bytes whole = picture("png-type2-depth8.png");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes damaged = whole;
    damaged[at] ^= 0x20;
    EXPECT_THROW(decode_image(damaged), InputError) << "byte " << at;
    EXPECT_THROW(check_image_structure(damaged), InputError) << "byte " << at;
  }
}

TEST(HostileImage, BombsAreRefusedFromTheirHeader) {
  Bytes jpeg = picture("jpeg-8x8.jpg");
  const Bytes frame = {0xFF, 0xC0};
  const auto sof = std::search(jpeg.begin(), jpeg.end(), frame.begin(), frame.end());
  ASSERT_NE(sof, jpeg.end());
  std::fill(sof + 5, sof + 9, std::uint8_t{0xFE});  // 65278 x 65278
  EXPECT_THAT([&] { decode_image(jpeg); }, ThrowsMessage<InputError>(HasSubstr("65278 x 65278")));
  EXPECT_THROW(read_image_header(jpeg), InputError);
  EXPECT_THROW(check_image_structure(jpeg), InputError);

  const Bytes png = picture("png-33x1.png");
  EXPECT_NO_THROW(decode_image(png, 33));
  EXPECT_THAT([&] { decode_image(png, 32); },
              ThrowsMessage<InputError>(HasSubstr("more than the 32 allowed")));
  EXPECT_THROW(read_image_header(png, 32), InputError);
  EXPECT_THROW(decode_image(picture("webp-33x1.webp"), 32), InputError);
  EXPECT_THROW(decode_image(picture("webp-animated.webp"), 20 * 24 - 1), InputError);
}

TEST(HostileImage, EmptySidesAndOddFormatsAreRefused) {
  Bytes jpeg = picture("jpeg-8x8.jpg");
  const Bytes frame = {0xFF, 0xC0};
  const auto sof = std::search(jpeg.begin(), jpeg.end(), frame.begin(), frame.end());
  ASSERT_NE(sof, jpeg.end());
  Bytes flat = jpeg;
  std::fill_n(flat.begin() + (sof - jpeg.begin()) + 5, 2, std::uint8_t{0});
  EXPECT_THROW(decode_image(flat), InputError);
  EXPECT_THROW(read_image_header(flat), InputError);
  Bytes deep = jpeg;
  deep[static_cast<std::size_t>(sof - jpeg.begin()) + 4] = 12;
  EXPECT_THROW(decode_image(deep), InputError);
}

TEST(HostileImage, ExtraBytesInsideAScanAreCorrupt) {
  // Ten zero bytes before the end marker: libjpeg warns of extraneous bytes, Pillow is silent.
  Bytes jpeg = picture("jpeg-420.jpg");
  jpeg.insert(jpeg.end() - 2, 10, std::uint8_t{0});
  EXPECT_THAT([&] { decode_image(jpeg); }, ThrowsMessage<InputError>(HasSubstr("corrupt")));
}

}  // namespace
}  // namespace casvit::dataio
