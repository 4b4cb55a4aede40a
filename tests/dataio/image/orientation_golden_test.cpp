// EXIF orientation against Pillow: golden/orientation.json holds pictures and what Pillow found.
#include <gtest/gtest.h>

#include "dataio/image/decode.h"
#include "dataio/image/orientation.h"
#include "tests/dataio/golden_data.h"

namespace casvit::dataio {
namespace {

std::vector<std::uint8_t> from_hex(const std::string& text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

TEST(OrientationGolden, IsWhatPillowFinds) {
  const auto pictures = testing::read_golden("orientation.json").at("pictures");
  ASSERT_GT(pictures.size(), 150U);
  for (const auto& [name, expected] : pictures.items()) {
    const auto bytes = from_hex(expected.at("bytes"));
    EXPECT_NO_THROW(check_image_structure(bytes)) << name;
    EXPECT_EQ(read_orientation(bytes), expected.at("orientation")) << name;
  }
}

/// Reads nothing outside the block, whatever its end and its numbers (asan watches).
TEST(Orientation, IsReadFromBlocksCutAnywhereAndOfAnyBytes) {
  const auto pictures = testing::read_golden("orientation.json").at("pictures");
  for (const auto& [name, expected] : pictures.items()) {
    const auto bytes = from_hex(expected.at("bytes"));
    for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 64) {
      const std::vector<std::uint8_t> cut(bytes.begin(),
                                          bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const int found = read_orientation(cut);
      EXPECT_TRUE(found == 1 || found == expected.at("orientation")) << name << " cut to " << size;
    }
  }
  std::vector<std::uint8_t> block = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1};
  block.insert(block.end(), {0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0});
  ASSERT_EQ(parse_exif_orientation(block), 6);
  for (std::size_t i = 0; i < block.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::vector<std::uint8_t> changed = block;
      changed[i] = static_cast<std::uint8_t>(value);
      const int found = parse_exif_orientation(changed);
      EXPECT_TRUE(found >= 1 && found <= 8);
    }
  }
}

}  // namespace
}  // namespace casvit::dataio
