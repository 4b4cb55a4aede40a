// Mistakes side by side: their pictures, or why there is none, and names of any bytes.

#include "trainer/report/mistakes_figure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "made_up_run.h"
#include "markup.h"
#include "trainer/report/base64.h"
#include "trainer/report/png.h"

namespace casvit::trainer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kClasses{"<Maize> & \"co\"", std::string(60, 'x') + "\xff"};
const std::vector<Mistake> kMistakes{{7, 0, 1, 0.9F, 0.05}, {8, 1, 0, 0.63F, 0.25}};

Thumbnail thumbnail(std::uint64_t sample) {
  if (sample == 8) return {"", "", "it is torn"};
  return {"image/png", one_pixel_png(), ""};
}

TEST(MistakesFigure, HasPicturesNamesAndProbabilities) {
  const std::string svg = mistakes_svg(kMistakes, kClasses, thumbnail);
  EXPECT_EQ(markup_problem(svg), "");
  EXPECT_THAT(svg, HasSubstr("data:image/png;base64," + base64(one_pixel_png())));
  EXPECT_THAT(svg, HasSubstr("no picture: it is torn"));
  EXPECT_THAT(svg, HasSubstr("&lt;Maize&gt; &amp;"));
  EXPECT_THAT(svg, HasSubstr(" 90%"));
  EXPECT_THAT(svg, HasSubstr(" 63%"));
  EXPECT_THAT(svg, Not(HasSubstr(std::string(30, 'x'))));  // cut to what fits below a picture
  EXPECT_GT(PngRenderer().render(svg).size(), 3000U);
}

TEST(MistakesFigure, IsAsHighAsItsRows) {
  const std::vector<Mistake> many(9, kMistakes[0]);
  const std::string svg = mistakes_svg(many, kClasses, thumbnail);
  EXPECT_EQ(markup_problem(svg), "");
  std::size_t pictures = 0;
  for (std::size_t at = svg.find("<image "); at != std::string::npos;
       at = svg.find("<image ", at + 1)) {
    ++pictures;
  }
  EXPECT_EQ(pictures, 9U);
  EXPECT_THAT(svg, HasSubstr("height='" + std::to_string(24 + 30 + 3 * (144 + 32 + 28) - 28 + 24)));
}

TEST(MistakesFigure, IsNothingWhereNothingIsWrong) {
  EXPECT_EQ(mistakes_svg({}, kClasses, thumbnail), "");
}

}  // namespace
}  // namespace casvit::trainer
