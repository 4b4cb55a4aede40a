// Decoding against Pillow: golden/pictures.json holds the hashes of what Pillow decoded.
#include <gtest/gtest.h>

#include "dataio/image/decode.h"
#include "tests/dataio/golden_data.h"

namespace casvit::dataio {
namespace {

using testing::read_bytes;
using testing::read_golden;

class GoldenPicture : public ::testing::TestWithParam<std::string> {
 protected:
  std::vector<std::uint8_t> bytes() const {
    return read_bytes(testing::kGoldenFolder + "pictures/" + GetParam());
  }
};

std::vector<std::string> names() {
  std::vector<std::string> result;
  const auto golden = read_golden("pictures.json");
  for (const auto& [name, expected] : golden.at("pictures").items()) result.push_back(name);
  return result;
}

TEST_P(GoldenPicture, DecodesToPillowsPixels) {
  const auto expected = read_golden("pictures.json").at("pictures").at(GetParam());
  const Image image = decode_image(bytes());
  EXPECT_EQ(image.height, expected.at("height"));
  EXPECT_EQ(image.width, expected.at("width"));
  ASSERT_EQ(image.pixels.size(), static_cast<std::size_t>(image.height) * image.row_bytes());
  EXPECT_EQ(testing::xxh3(image.pixels), expected.at("xxh3"));
}

TEST_P(GoldenPicture, HeaderAgreesAndStructureIsSound) {
  const auto expected = read_golden("pictures.json").at("pictures").at(GetParam());
  const ImageHeader header = read_image_header(bytes());
  EXPECT_EQ(header.height, expected.at("height"));
  EXPECT_EQ(header.width, expected.at("width"));
  const std::string name = GetParam();
  const Codec codec = name.ends_with(".jpg")   ? Codec::kJpeg
                      : name.ends_with(".png") ? Codec::kPng
                                               : Codec::kWebp;
  EXPECT_EQ(header.codec, codec);
  EXPECT_EQ(sniff_codec(bytes()), codec);
  EXPECT_NO_THROW(check_image_structure(bytes()));
}

INSTANTIATE_TEST_SUITE_P(Pillow, GoldenPicture, ::testing::ValuesIn(names()), [](const auto& info) {
  std::string name = info.param.substr(0, info.param.find('.'));
  for (char& letter : name) {
    if (letter == '-') letter = '_';
  }
  return name;
});

}  // namespace
}  // namespace casvit::dataio
