#include "dataio/container/display.h"

#include <gtest/gtest.h>

namespace casvit::dataio {
namespace {

TEST(DisplayPath, LetsNoControlCharacterThrough) {
  EXPECT_EQ(display_path("a\n\x1b[2J\x7f"), "a\\x0a\\x1b[2J\\x7f");
  // U+009B is CSI, as good as ESC [; terminals take it as two bytes of UTF-8, some as one.
  EXPECT_EQ(display_path("a\xc2\x9b[m"), "a\\xc2\\x9b[m");
  EXPECT_EQ(display_path("a\x9b[m"), "a\\x9b[m");
  EXPECT_EQ(display_path("\xc2\x80\xc2\x9f"), "\\xc2\\x80\\xc2\\x9f");
}

TEST(DisplayPath, LeavesLettersOfAnyScript) {
  // Bytes from 0x80 to 0x9f are parts of many letters.
  const std::string text = "\xc3\x9f \xc2\xa0 \xe4\xb8\x96 \xf0\x9f\x8c\xb1 \xff";
  EXPECT_EQ(display_path(text), text);
}

}  // namespace
}  // namespace casvit::dataio
