#include "dataio/preview/contact_sheet.h"

#include <gtest/gtest.h>

#include "dataio/augment/normalize.h"
#include "dataio/error.h"
#include "dataio/image/decode.h"
#include "dataio/image/png_writer.h"
#include "tests/dataio/preview/picture_search.h"
#include "tests/dataio/synthetic_picture.h"
#include "tests/dataio/temporary_folder.h"

namespace casvit::dataio {
namespace {

using testing::synthetic_picture;

TEST(Denormalized, IsTheInverseOfNormalization) {
  const Image picture = synthetic_picture(20, 20, 2);
  const Normalization normalization;
  std::vector<float> pixels(picture.pixels.size());
  normalize(picture, normalization, {}, pixels.data());
  EXPECT_EQ(denormalized(pixels, 20, normalization).pixels, picture.pixels);
  pixels[0] = -100;
  pixels[1] = 100;  // as noise of Random Erasing may be
  EXPECT_EQ(denormalized(pixels, 20, normalization).pixels[0], 0);
  EXPECT_EQ(denormalized(pixels, 20, normalization).pixels[1], 255);
}

TEST(ContactSheet, HoldsEveryPictureAndDrawsItsLines) {
  std::vector<std::vector<SheetCell>> rows(2);
  for (std::uint32_t i = 0; i < 5; ++i) {
    rows[i / 3].push_back({synthetic_picture(20, 30, i), {"oak", "sample"}});
  }
  const Image sheet = contact_sheet("title", rows, 40);
  for (const auto& row : rows) {
    for (const SheetCell& cell : row) EXPECT_TRUE(holds(sheet, cell.picture));
  }
  const Image without = contact_sheet("", rows, 40);
  EXPECT_NE(sheet.pixels, without.pixels);
  for (auto& row : rows) row[0].lines[1] = "another";
  EXPECT_NE(contact_sheet("title", rows, 40).pixels, sheet.pixels);
}

TEST(ContactSheet, ShrinksWhatIsTooLargeAndKeepsItsShape) {
  const std::vector<std::vector<SheetCell>> rows{{{synthetic_picture(400, 100, 1), {}}}};
  const Image sheet = contact_sheet("", rows, 80);
  EXPECT_EQ(sheet.width, 80 + 2 * 8);
  Image small;
  resize(rows[0][0].picture, 80, 20, Interpolation::kBicubic, small);
  EXPECT_TRUE(holds(sheet, small));
}

TEST(ContactSheet, RefusesToBecomeTooLarge) {
  const std::vector<SheetCell> row(200, SheetCell{synthetic_picture(2, 2, 1), {}});
  EXPECT_THROW(contact_sheet("", {row}, 224), UsageError);
}

TEST(PngWriter, WritesWhatIsReadBackExactly) {
  const TemporaryFolder folder;
  for (const auto& [height, width] : {std::pair{1, 1}, std::pair{33, 45}, std::pair{200, 3}}) {
    const Image picture = synthetic_picture(height, width, 0);
    write_png(folder / "a.png", picture);
    const Image back = decode_image(file_bytes(folder / "a.png"));
    EXPECT_EQ(back.height, height);
    EXPECT_EQ(back.width, width);
    EXPECT_EQ(back.pixels, picture.pixels);
  }
  EXPECT_THROW(write_png(folder / "missing/a.png", synthetic_picture(2, 2, 0)), OutputError);
}

}  // namespace
}  // namespace casvit::dataio
