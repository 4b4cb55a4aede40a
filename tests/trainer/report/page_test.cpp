// The page stays one small file that needs no network and runs nothing but its own script, whatever
// names and pictures it is given.

#include "trainer/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "made_up_run.h"
#include "markup.h"
#include "temporary_folder.h"
#include "trainer/report/base64.h"
#include "trainer/report/chart.h"
#include "trainer/report/page_assets.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kMebibyte = 1 << 20;

std::string page_of(const ReportInput& input) { return report_page(Figures(input)); }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

/// Half of them wrong, so that there is everything to show.
ReportInput large_report() {
  ReportInput input = made_up_report();
  input.classes.clear();
  input.train_counts.clear();
  for (int c = 0; c < 1000; ++c) {
    input.classes.push_back("class " + std::to_string(c) + ", with a name of usual length");
    input.train_counts.push_back(1300U - static_cast<unsigned>(c) / 2);
  }
  input.model = made_up_evaluation(1000, 50000, 0.5, 1);
  input.ema = made_up_evaluation(1000, 50000, 0.5, 2);
  input.history = made_up_history(300, 1000);
  input.thumbnail = [](std::uint64_t) {
    return Thumbnail{"image/jpeg", std::string(12000, '\xd8'), ""};
  };
  return input;
}

TEST(Page, StaysSmallWithAThousandClassesAndFiftyThousandPictures) {
  const std::string page = page_of(large_report());
  EXPECT_LT(page.size(), 5 * kMebibyte);
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_EQ(count(page, "<tr><th scope='row'>class "), 1000U) << "every class has its row";
  EXPECT_LT(count(page, "<td class='m"), 1000U) << "the matrix is of the classes that matter";
  EXPECT_THAT(page, HasSubstr("these 30 have the most mistakes"));
}

TEST(Page, TooManyAndTooLargePicturesAreNamedInsteadOfShown) {
  ReportInput input = made_up_report();
  input.model = made_up_evaluation(12, 500, 0.2, 1);
  input.ema.reset();
  input.thumbnail = [](std::uint64_t) {
    return Thumbnail{"image/jpeg", std::string(kMebibyte, 'x'), ""};
  };
  EXPECT_THAT(page_of(input), HasSubstr("too large to be shown here"));
  EXPECT_LT(page_of(input).size(), kMebibyte);
}

TEST(Page, PicturesThatCannotBeReadSayWhy) {
  ReportInput input = made_up_report();
  input.thumbnail = [](std::uint64_t) { return Thumbnail{"", "", "cut off <after> 3 bytes"}; };
  const std::string page = page_of(input);
  EXPECT_THAT(page, HasSubstr("no picture: cut off &lt;after&gt; 3 bytes"));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
}

TEST(Page, NeedsNoNetwork) {
  const std::string page = page_of(made_up_report());
  for (const char* loader :
       {"@import", "url(", "refresh", "https://", "//cdn", "fetch(", "<link rel='style"}) {
    EXPECT_THAT(page, Not(HasSubstr(loader))) << loader;
  }
  EXPECT_EQ(count(page, "http://"), 1U) << "the script's namespace of SVG alone";
  EXPECT_EQ(count(page, " src="), count(page, " src='data:image/png;base64,"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(Page, BrowsersAreToldTheScriptsOwnHash) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/page.js";
  std::ofstream(path, std::ios::binary) << page_script();
  FILE* pipe = popen(("sha256sum " + path).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::array<char, 65> digits{};
  EXPECT_EQ(std::fread(digits.data(), 1, 64, pipe), 64U);
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(page_script_sha256(), digits.data());
  const std::string page = page_of(made_up_report());
  EXPECT_THAT(page,
              HasSubstr("script-src 'sha256-" + base64(bytes_of_hexadecimal(digits.data())) + "'"));
  EXPECT_THAT(page, HasSubstr("<script>" + std::string(page_script()) + "</script>"));
}

TEST(Page, HostileNamesRunNothingAndBreakNothing) {
  ReportInput input = made_up_report();
  for (const std::string hostile :
       {"</script><script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "</style></svg>",
        "\xff\xfe\x80", "{{constructor}}", "`${alert(1)}`", "a\nb\rc"}) {
    input.classes.assign(12, hostile);
    input.title = hostile;
    input.path = [&](std::uint64_t) { return hostile; };
    input.config_values = {{hostile, hostile, "x"}};
    input.data = input.versions = {{hostile, hostile}};
    input.memory = {{hostile, 1}};
    input.heatmaps = {{0, {{hostile, {"'" + hostile, "x", ""}}}}};
    const std::string page = page_of(input);
    EXPECT_EQ(count(page, "<script"), 1U);
    EXPECT_EQ(count(page, "</script"), 1U);
    EXPECT_EQ(count(page, "<style"), 1U);
    EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
    EXPECT_THAT(page, Not(HasSubstr("\xff")));
    EXPECT_EQ(markup_problem(page), "") << hostile;
  }
}

TEST(Page, NamesCannotTurnTheTextAroundThem) {
  ReportInput input = made_up_report();
  const std::string override = "\u202e";  // right-to-left override
  input.classes[0] = "Black" + override + "ssarg";
  input.classes[1] = "\u05e9\u05dc\u05d5\u05dd";  // Hebrew stays
  const std::string page = page_of(input);
  EXPECT_THAT(page, Not(HasSubstr(override)));
  EXPECT_THAT(page, HasSubstr(input.classes[1]));
}

TEST(Page, HeatmapsHaveAPlace) {
  ReportInput input = made_up_report();
  EXPECT_THAT(page_of(input), Not(HasSubstr("What the network looks at")));
  input.model.label[7] = 3;
  input.ema->label[7] = 3;
  input.ema->top[7 * 5] = 4;
  input.path = [](std::uint64_t sample) { return "<" + std::to_string(sample) + ">.jpg"; };
  input.heatmaps = {
      {7, {{"picture", {"image/png", one_pixel_png(), ""}}, {"gate", {"", "", "none"}}}}};
  const std::string page = page_of(input);
  EXPECT_THAT(page, HasSubstr("What the network looks at"));
  EXPECT_THAT(page, HasSubstr("<img alt='&lt;7&gt;.jpg: picture' src='data:image/png;base64,"));
  EXPECT_THAT(page, ContainsRegex("<h3>" + escape_html(input.classes[3]) +
                                  " [0-9.]+% <span class='as'>taken for</span> " +
                                  escape_html(input.classes[4]) + " [0-9.]+%"));
  EXPECT_THAT(page, HasSubstr("no picture: none"));
  EXPECT_THAT(page, HasSubstr("<figcaption>gate</figcaption>"));
  EXPECT_EQ(markup_problem(page), "");
}

TEST(Page, MarksWhatDiffersFromTheDefaults) {
  const std::string page = page_of(made_up_report());
  EXPECT_THAT(page, HasSubstr("differs from the defaults (2 of 4 keys)"));
  EXPECT_THAT(page,
              HasSubstr("<tr class='changed'><td class='key'>train.epochs</td><td>40</td><td>100"));
}

TEST(Page, SaysWhenThereIsNoMistakeToResample) {
  ReportInput input = made_up_report();
  input.ema.reset();
  for (std::size_t i = 0; i < input.model.label.size(); ++i) {
    input.model.top[i * 5] = input.model.label[i];
  }
  EXPECT_THAT(page_of(input),
              HasSubstr("the exact binomial one begins at 99.5%"));  // 0.025^(1/708)
}

TEST(Base64, HasTheVectorsOfItsStandard) {
  const std::array<std::array<std::string, 2>, 5> vectors{
      {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}}};
  for (const auto& [bytes, text] : vectors) EXPECT_EQ(base64(bytes), text);
  EXPECT_EQ(base64(std::string("\xff\x00\xfe", 3)), "/wD+");
  EXPECT_EQ(bytes_of_hexadecimal("00fF10"), std::string("\x00\xff\x10", 3));
}

}  // namespace
}  // namespace casvit::trainer
