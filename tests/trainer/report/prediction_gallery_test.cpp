// The gallery of predictions: which pictures it has, that it stays one small file, and that nothing
// in names or paths breaks it.

#include "trainer/report/prediction_gallery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include "made_up_run.h"
#include "markup.h"
#include "temporary_folder.h"
#include "trainer/report/base64.h"
#include "trainer/report/gallery_choice.h"
#include "trainer/report/page_assets.h"

namespace casvit::trainer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

struct Case {
  Evaluation evaluation = made_up_evaluation(12, 60, 0.8, 1);
  std::vector<std::string> classes = species();
  std::size_t bytes_of_a_picture = 2500;
  std::vector<std::string> unreadable;
  std::string name = "picture";

  std::string page() const {
    const std::vector<Thumbnail> thumbnails(
        gallery_choice(evaluation).size(),
        {"image/jpeg", std::string(bytes_of_a_picture, '\xd8'), ""});
    return prediction_gallery_page(
        {.title = name,
         .evaluation = evaluation,
         .classes = classes,
         .path = [&](std::uint64_t i) { return name + std::to_string(i) + ".jpg"; },
         .thumbnails = thumbnails,
         .unreadable = unreadable,
         .ignored = 2,
         .facts = {{"Checkpoint", name}}});
  }
};

TEST(GalleryChoice, WrongOnesThenTheLeastSure) {
  Evaluation evaluation;
  evaluation.classes = 2;
  evaluation.top_k = 1;
  evaluation.label = {0, 0, -1, 0, 0};
  evaluation.top = {0, 1, 1, 1, 0};
  evaluation.probability = {0.6F, 0.9F, 0.7F, 0.8F, 0.55F};
  EXPECT_EQ(gallery_choice(evaluation), (std::vector<std::size_t>{3, 1, 4, 0, 2}));
  const Evaluation many = made_up_evaluation(3, 5000, 0.9, 1);
  EXPECT_EQ(gallery_choice(many).size(), kMostGalleryPictures);
}

TEST(PredictionGallery, ShowsEveryPictureLeastSureFirst) {
  const Case given;
  const std::string page = given.page();
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_EQ(count(page, "<li data-c="), 60U);
  EXPECT_THAT(page, HasSubstr("All 60, least sure first."));
  double before = 0;
  for (std::size_t at = page.find("data-p='"); at != std::string::npos;
       at = page.find("data-p='", at + 1)) {
    const double probability = std::stod(page.substr(at + 8));
    EXPECT_GE(probability, before);
    before = probability;
  }
}

TEST(PredictionGallery, MarksWhatIsWrongWhereTheClassIsKnown) {
  Case given;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 60; ++i) {
    wrong += given.evaluation.top[i * 5] != given.evaluation.label[i] ? 1U : 0U;
  }
  ASSERT_GT(wrong, 0U);
  EXPECT_EQ(count(given.page(), " class='wrong'>"), wrong);
  EXPECT_EQ(count(given.page(), "wrong: it is <span"), wrong);
  EXPECT_THAT(given.page(), HasSubstr("<select id='state'>"));
  given.evaluation.label.assign(60, -1);
  EXPECT_THAT(given.page(), Not(HasSubstr("wrong: it is")));
  EXPECT_THAT(given.page(), Not(HasSubstr("<select id='state'>")));
}

TEST(PredictionGallery, StaysBelowFiveMegabytes) {
  Case given;
  given.evaluation = made_up_evaluation(1000, 20000, 0.7, 1);
  given.classes.clear();
  for (int c = 0; c < 1000; ++c)
    given.classes.push_back("a class of usual name " + std::to_string(c));
  for (int i = 0; i < 20000; ++i) given.unreadable.emplace_back(300, 'x');
  for (const std::size_t bytes : {500U, 4000U, 40000U}) {
    given.bytes_of_a_picture = bytes;
    const std::string page = given.page();
    EXPECT_LT(page.size(), kMostGalleryBytes);
    EXPECT_EQ(count(page, "<li data-c="), count(page, "<img"));
    EXPECT_THAT(page, HasSubstr(" of 20,000: those with a wrong answer before others"));
    EXPECT_THAT(page, HasSubstr("more: the program named all"));
  }
  given.bytes_of_a_picture = 500;
  EXPECT_EQ(count(given.page(), "<li data-c="), kMostGalleryPictures);
}

TEST(PredictionGallery, HostileNamesRunNothingAndBreakNothing) {
  Case given;
  for (const std::string hostile :
       {"</script><script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "\xff\xfe\x80",
        "</option></select>", "a\nb\rc"}) {
    given.name = hostile;
    given.classes.assign(12, hostile);
    given.unreadable = {hostile};
    const std::string page = given.page();
    EXPECT_EQ(count(page, "<script"), 1U);
    EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
    EXPECT_EQ(markup_problem(page), "") << hostile;
  }
}

TEST(PredictionGallery, NothingReadableIsSaid) {
  Case given;
  given.evaluation = Evaluation{};
  given.evaluation.classes = 12;
  given.evaluation.top_k = 5;
  given.unreadable = {"a.jpg: it ends after 3 bytes"};
  const std::string page = given.page();
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, HasSubstr("No picture could be named."));
  EXPECT_THAT(page, HasSubstr("it ends after 3 bytes"));
}

TEST(PredictionGallery, BrowsersAreToldTheScriptsOwnHash) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/gallery.js";
  std::ofstream(path, std::ios::binary) << gallery_script();
  FILE* pipe = popen(("sha256sum " + path).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::array<char, 65> digits{};
  EXPECT_EQ(std::fread(digits.data(), 1, 64, pipe), 64U);
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(gallery_script_sha256(), digits.data());
  const std::string page = Case().page();
  EXPECT_THAT(page,
              HasSubstr("script-src 'sha256-" + base64(bytes_of_hexadecimal(digits.data())) + "'"));
  EXPECT_THAT(page, HasSubstr("<script>" + std::string(gallery_script()) + "</script>"));
}

}  // namespace
}  // namespace casvit::trainer
