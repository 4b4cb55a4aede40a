#include "dataio/pack/label_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataio/container/dataset.h"
#include "dataio/error.h"
#include "dataio/pack/packer.h"
#include "tests/dataio/seedlings.h"

namespace casvit::dataio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// "path|class|part" of each line.
std::vector<std::string> entries(const std::string& name, const std::string& text) {
  const TemporaryFolder folder;
  write_text(folder / name, text);
  std::vector<std::string> found;
  const PackPlan plan = plan_from_list(folder / name, "");
  for (const Candidate& picture : plan.candidates) {
    found.push_back(picture.path + "|" + plan.classes[static_cast<std::size_t>(picture.label)] +
                    "|" + (plan.divided ? plan.parts[picture.part] : ""));
  }
  return found;
}

std::string refusal(const std::string& name, const std::string& text) {
  const TemporaryFolder folder;
  write_text(folder / name, text);
  try {
    static_cast<void>(plan_from_list(folder / name, ""));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(LabelList, ReadsTheThreeKindsOfFiles) {
  EXPECT_THAT(entries("a.csv", "x/1.jpg,cat,train\r\ny.png,dog,val\n"),
              ElementsAre("x/1.jpg|cat|train", "y.png|dog|val"));
  EXPECT_THAT(entries("a.csv", "x/1.jpg,cat\r\n"), ElementsAre("x/1.jpg|cat|"));
  EXPECT_THAT(entries("a.tsv", "a,b.jpg\tcat\n\nc d.jpg\tdog"),
              ElementsAre("a,b.jpg|cat|", "c d.jpg|dog|"));
  EXPECT_THAT(entries("a.txt", "# from somewhere\nval/ILSVRC 1.JPEG   65 \nb.jpg 970\n"),
              ElementsAre("val/ILSVRC 1.JPEG|65|", "b.jpg|970|"));
  EXPECT_THAT(entries("a.txt", "b c.jpg\tred oak\n"), ElementsAre("b c.jpg|red oak|"));
}

TEST(LabelList, TakesColumnsByTheirNames) {
  EXPECT_THAT(entries("a.csv", "id,Label,filename,split\n7,cat,x.jpg,train\n"),
              ElementsAre("x.jpg|cat|train"));
  EXPECT_THAT(entries("a.csv", "\xef\xbb\xbfpath,label\nx.jpg,cat\n"), ElementsAre("x.jpg|cat|"));
  EXPECT_THAT(entries("a.csv", "path.jpg,label\n"), ElementsAre("path.jpg|label|"));
}

TEST(LabelList, ReadsQuotesAsRfc4180HasThem) {
  EXPECT_THAT(entries("a.csv", "\"a, \"\"b\"\".jpg\",\"c\nd\"\n\"e\",f\r\n"),
              ElementsAre("a, \"b\".jpg|c\nd|", "e|f|"));
  EXPECT_THAT(refusal("a.csv", "x.jpg,cat\n\"y.jpg,dog\n"), HasSubstr("line 2: a quote is never"));
  EXPECT_THAT(refusal("a.csv", "\"x\"y,cat\n"), HasSubstr("line 1: there is something between"));
  // Lines are counted as an editor does, also behind a field of two lines.
  EXPECT_THAT(refusal("a.csv", "\"x\ny.jpg\",cat\nz.jpg\n"), HasSubstr("line 3: it has 1 columns"));
}

TEST(LabelList, NamesTheLineThatIsWrong) {
  EXPECT_THAT(refusal("a.csv", ""), HasSubstr("lists no pictures"));
  EXPECT_THAT(refusal("a.csv", "x.jpg,cat\nx.jpg,dog\n"),
              HasSubstr("line 2: x.jpg has the label 'dog', in line 1 it has 'cat'"));
  EXPECT_THAT(refusal("a.csv", "x.jpg,cat,train\ny.jpg,cat,val\nx.jpg,cat,val\n"),
              HasSubstr("line 3: x.jpg is in the split 'val', in line 1 it is in 'train'"));
  EXPECT_THAT(refusal("a.csv", "b/x.jpg,cat\ny.jpg,cat\n./b//x.jpg,cat\n"),
              HasSubstr("line 3: ./b//x.jpg is listed already, in line 1"));
  EXPECT_THAT(refusal("a.csv", ",cat\n"), HasSubstr("line 1: the path is empty"));
  EXPECT_THAT(refusal("a.csv", "x.jpg,\n"), HasSubstr("line 1: the label is empty"));
  EXPECT_THAT(refusal("a.csv", "x.jpg,cat,train\ny.jpg,cat\n"),
              HasSubstr("line 2: some lines have a split"));
  EXPECT_THAT(refusal("a.csv", "x.jpg,cat,../up\n"), HasSubstr("not made of letters"));
  EXPECT_THAT(refusal("a.csv", "x.jpg,99999999999\n"), HasSubstr("index 99999999999 is too large"));
  EXPECT_THAT(refusal("a.csv", "x.jpg,1000000\n"), HasSubstr("at most 999999"));
  EXPECT_EQ(refusal("a.csv", "x.jpg,00000000999999\n"), "");
}

TEST(LabelList, NumbersAreIndicesAndNamesAreSorted) {
  const TemporaryFolder folder;
  write_text(folder / "n.csv", "a.jpg,2\nb.jpg,0\nc.jpg,10\n");
  const PackPlan numbers = plan_from_list(folder / "n.csv", "");
  EXPECT_EQ(numbers.classes.size(), 11U);
  EXPECT_EQ(numbers.classes[10], "10");
  EXPECT_EQ(numbers.candidates[0].label, 2);
  EXPECT_EQ(numbers.candidates[2].label, 10);
  write_text(folder / "t.csv", "a.jpg,Z\nb.jpg,a\nc.jpg,10\n");
  const PackPlan names = plan_from_list(folder / "t.csv", "");
  EXPECT_THAT(names.classes, ElementsAre("10", "Z", "a"));
  EXPECT_EQ(names.candidates[0].label, 1);
}

TEST(LabelList, IsPackedInItsOrderIntoItsParts) {
  const TemporaryFolder folder;
  make_image_folder(folder / "in", {"a", "b"}, 3);
  write_text(folder / "in/list.csv",
             "path,label,split\nb/2.jpg,bee,train\na/0.jpg,ant,train\na/1.jpg,ant,validation\n"
             "gone.jpg,bee,train\nb/0.jpg,bee,validation\n");
  PackOptions options;
  options.source = folder / "in/list.csv";
  options.output = folder / "out.h5";
  const PackResult result = pack(options, [](auto, auto, auto) {});
  ASSERT_EQ(result.files.size(), 2U);
  EXPECT_EQ(result.files[1].path, folder / "out.val.h5");
  const Dataset train({folder / "out.train.h5"});
  ASSERT_EQ(train.size(), 2U);
  EXPECT_EQ(train.source_path(0), "b/2.jpg");
  EXPECT_THAT(train.copy_labels(), ElementsAre(1, 0));
  ASSERT_EQ(result.rejected.size(), 1U);
  EXPECT_EQ(result.rejected[0].reason, "cannot be read: No such file or directory");
  // The same list elsewhere, its paths relative to --root.
  write_text(folder / "list.csv", "b/2.jpg,bee\n");
  options.source = folder / "list.csv";
  options.list_root = folder / "in";
  EXPECT_EQ(pack(options, [](auto, auto, auto) {}).files[0].samples, 1U);
}

}  // namespace
}  // namespace casvit::dataio
