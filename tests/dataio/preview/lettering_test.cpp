#include "dataio/preview/lettering.h"

#include <gtest/gtest.h>

#include <set>

#include "dataio/preview/bitmap_font.h"

namespace casvit::dataio {
namespace {

TEST(PlainLetters, KeepAsciiAndDropAccents) {
  EXPECT_EQ(plain_letters("Fat Hen (2) ~"), "Fat Hen (2) ~");
  EXPECT_EQ(plain_letters("\xc3\x84hre, \xc3\x89pi, stra\xc3\x9f"
                          "e"),
            "Ahre, Epi, strasse");
  EXPECT_EQ(plain_letters("\xc5\x81\xc3\xb3"
                          "d\xc5\xba, \xc5\xbd\xc3\xa1"
                          "dn\xc3\xbd, \xc5\x93uf"),
            "Lodz, Zadny, oeuf");
  // The table's ends and its rows' ends.
  EXPECT_EQ(plain_letters("\xc3\x80\xc3\x9f\xc3\xa0\xc3\xbf\xc4\x80\xc4\xb8\xc5\x89\xc5\xbf"),
            "AssayAkns");
}

TEST(PlainLetters, NameWhatTheFontDoesNotHave) {
  EXPECT_EQ(plain_letters("\xe7\x99\xbd\xe8\x8f\x9c"), "<U+767D><U+83DC>");
  EXPECT_EQ(plain_letters("\xf0\x9f\x8c\xbf!"), "<U+1F33F>!");
  EXPECT_EQ(plain_letters("a\nb"), "a<U+000A>b");
  EXPECT_EQ(plain_letters("\xff"
                          "b\xc3"),
            "<FF>b<C3>");
  EXPECT_EQ(plain_letters("1\xe2\x80\x93"
                          "2 \xe2\x80\x98x\xe2\x80\x99"),
            "1-2 'x'");
}

TEST(FitText, CutsOffWhatIsTooWide) {
  EXPECT_EQ(fit_text("abcdefgh", text_width("abcdefgh", 2), 2), "abcdefgh");
  EXPECT_EQ(fit_text("abcdefgh", text_width("abcdefgh", 2) - 1, 2), "abcd...");
  EXPECT_EQ(fit_text("abcdefgh", text_width("ab", 1), 1), "ab");
}

TEST(BitmapFont, HasADifferentGlyphForEveryCharacter) {
  std::set<std::array<std::uint8_t, Glyph::kHeight>> glyphs;
  for (char c = ' '; c < 0x7f; ++c) {
    for (const std::uint8_t row : glyph_of(c).rows) EXPECT_LT(row, 32) << c;
    EXPECT_TRUE(glyphs.insert(glyph_of(c).rows).second) << c << " looks like another";
  }
  EXPECT_EQ(glyphs.count(glyph_of('\n').rows), 0U);
}

TEST(DrawText, PaintsTheGlyphScaledAndStaysInside) {
  Image image;
  image.height = 40;
  image.width = 30;
  image.pixels.assign(40 * 30 * 3, 0);
  draw_text(image, 3, 4, "L", {9, 8, 7}, 2);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const bool stem = x >= 3 && x < 5 && y >= 4 && y < 18;
      const bool foot = x >= 3 && x < 13 && y >= 16 && y < 18;
      const std::uint8_t* pixel = image.row(y) + static_cast<std::ptrdiff_t>(x) * 3;
      EXPECT_EQ(pixel[0], stem || foot ? 9 : 0) << x << " " << y;
      EXPECT_EQ(pixel[2], stem || foot ? 7 : 0);
    }
  }
  draw_text(image, -3, -3, "WWWWWWWWWW", {1, 1, 1}, 5);  // under a sanitizer: nothing outside
  draw_text(image, 25, 35, "WW", {1, 1, 1}, 3);
}

}  // namespace
}  // namespace casvit::dataio
