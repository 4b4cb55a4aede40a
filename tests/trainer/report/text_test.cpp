// Names, paths and numbers as text: any bytes in, valid files out.

#include "trainer/report/text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <random>

namespace casvit::trainer {
namespace {

constexpr const char* kReplacement = "\xef\xbf\xbd";

TEST(Text, WellFormedUtf8Stays) {
  for (const char* text :
       {"", "ascii", "G\xc3\xa4nse", "\xe9\x9b\x9b\xe8\x8f\x8a", "\xf0\x9f\x8c\xb1"}) {
    EXPECT_EQ(sanitize_utf8(text), text);
  }
}

TEST(Text, BytesThatAreNoUtf8AreReplacedOneByOne) {
  const std::string r = kReplacement;
  EXPECT_EQ(sanitize_utf8("a\xff"
                          "b"),
            "a" + r + "b");
  EXPECT_EQ(sanitize_utf8("\xc3"), r) << "cut off";
  EXPECT_EQ(sanitize_utf8("\xc0\xaf"), r + r) << "overlong slash";
  EXPECT_EQ(sanitize_utf8("\xed\xa0\x80"), r + r + r) << "surrogate";
  EXPECT_EQ(sanitize_utf8("\xf4\x90\x80\x80"), r + r + r + r) << "above U+10FFFF";
  EXPECT_EQ(sanitize_utf8("\xe0\x80\x80"), r + r + r) << "overlong";
}

TEST(Text, CodePointsAreCounted) { EXPECT_EQ(code_points("G\xc3\xa4nse \xe9\x9b\x9b"), 7); }

TEST(Text, HtmlCannotBeBrokenOutOf) {
  EXPECT_EQ(escape_html("<a href=\"x\" id='y'>&"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
  EXPECT_EQ(escape_html(std::string("a\0b\x1b", 4)),
            std::string("a") + kReplacement + "b" + kReplacement);
}

TEST(Text, CsvFieldsAreQuotedOnlyWhereNeeded) {
  EXPECT_EQ(csv_field("plain name.jpg"), "plain name.jpg");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"x\""), "\"say \"\"x\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_field("carriage\r"), "\"carriage\r\"");
  EXPECT_EQ(csv_field(" space"), "\" space\"");
  EXPECT_EQ(csv_field("\xff\xfe"), "\xff\xfe") << "bytes stay";
}

TEST(Text, EveryFloatReadsBackAlsoThroughADouble) {
  std::mt19937 random(1);
  for (int i = 0; i < 300000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isfinite(value)) continue;
    const std::string text = shortest(value);
    ASSERT_EQ(std::strtof(text.c_str(), nullptr), value) << text;
    ASSERT_EQ(static_cast<float>(std::strtod(text.c_str(), nullptr)), value) << text;
  }
  EXPECT_EQ(shortest(0.1F), "0.1");
}

TEST(Text, NumbersAreGrouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(grouped(-123), "-123");
}

}  // namespace
}  // namespace casvit::trainer
