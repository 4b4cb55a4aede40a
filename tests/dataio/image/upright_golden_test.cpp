// Upright pictures against Pillow's ImageOps.exif_transpose: golden/upright.json.
#include <gtest/gtest.h>
#include <xxhash.h>

#include <stdexcept>

#include "dataio/container/dataset.h"
#include "dataio/container/index_builder.h"
#include "dataio/container/writer.h"
#include "dataio/image/upright.h"
#include "tests/dataio/golden_data.h"
#include "tests/dataio/temporary_folder.h"

namespace casvit::dataio {
namespace {

Image image_of(const nlohmann::json& golden) {
  return {golden.at("height"), golden.at("width"),
          golden.at("pixels").get<std::vector<std::uint8_t>>()};
}

TEST(UprightGolden, EqualsPillowForEveryOrientation) {
  const auto golden = testing::read_golden("upright.json");
  const Image stored = image_of(golden.at("stored"));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image expected = image_of(golden.at("upright").at(std::to_string(orientation)));
    const Image turned = upright(stored, orientation);
    EXPECT_EQ(turned.height, expected.height) << orientation;
    EXPECT_EQ(turned.width, expected.width) << orientation;
    EXPECT_EQ(turned.pixels, expected.pixels) << orientation;
  }
  EXPECT_THROW(upright(stored, 0), std::invalid_argument);
  EXPECT_THROW(upright(stored, 9), std::invalid_argument);
}

TEST(UprightGolden, TurnsAPartOfALargerPicture) {
  const auto golden = testing::read_golden("upright.json");
  const Image stored = image_of(golden.at("stored"));
  const Image part = upright(ImageView(stored).crop(1, 2, 2, 3), 6);
  ASSERT_EQ(part.height, 3);
  ASSERT_EQ(part.width, 2);
  // A quarter turn to the right: the upper left corner was the lower left one.
  EXPECT_EQ(std::vector<std::uint8_t>(part.pixels.begin(), part.pixels.begin() + 3),
            std::vector<std::uint8_t>(stored.row(2) + 6, stored.row(2) + 9));
}

/// A container of one raw picture of each orientation, upright where that was asked for.
TEST(UprightGolden, DatasetAppliesWhatIsStoredOnRequest) {
  const auto golden = testing::read_golden("upright.json");
  const Image stored = image_of(golden.at("stored"));
  const TemporaryFolder folder;
  ContainerDescription description;
  description.split = "train";
  description.created = "2024-05-31T12:00:00Z";
  IndexBuilder builder({"a"});
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SampleDescription sample;
    sample.length = static_cast<std::uint32_t>(stored.pixels.size());
    sample.height = static_cast<std::uint32_t>(stored.height);
    sample.width = static_cast<std::uint32_t>(stored.width);
    sample.codec = Codec::kRawRgb;
    sample.orientation = static_cast<std::uint8_t>(orientation);
    sample.source = std::to_string(orientation);
    sample.xxh3 = XXH3_64bits(stored.pixels.data(), stored.pixels.size());
    builder.add(sample);
  }
  ContainerWriter writer(folder / "c.h5");
  for (const std::uint64_t offset : builder.index().offset) {
    writer.blob().write(offset, stored.pixels);
  }
  writer.seal(description, builder.index());
  writer.publish();

  const Dataset as_stored({folder / "c.h5"});
  const Dataset turned({folder / "c.h5"}, {.apply_orientation = true});
  EXPECT_EQ(as_stored.content_hash(), turned.content_hash());
  std::vector<std::uint8_t> scratch;
  for (std::uint64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(as_stored.decode(i, scratch).pixels, stored.pixels);
    const Image expected = image_of(golden.at("upright").at(std::to_string(i + 1)));
    const Image found = turned.decode(i, scratch);
    EXPECT_EQ(found.height, expected.height);
    EXPECT_EQ(found.pixels, expected.pixels);
    EXPECT_EQ(turned.height(i), expected.height);
    EXPECT_EQ(turned.width(i), expected.width);
    DecodeScratch memory;
    turned.read(i, scratch);
    const PixelBox box{1, 2, 3, 2};  // inside either shape
    const ImageView part = turned.decode_region(i, scratch, box, memory);
    ASSERT_EQ(part.height, box.height);
    ASSERT_EQ(part.width, box.width);
    for (int y = 0; y < box.height; ++y) {
      const std::uint8_t* row = expected.row(box.top + y) + box.left * 3;
      EXPECT_EQ(std::vector<std::uint8_t>(part.row(y), part.row(y) + box.width * 3),
                std::vector<std::uint8_t>(row, row + box.width * 3));
    }
  }
}

}  // namespace
}  // namespace casvit::dataio
