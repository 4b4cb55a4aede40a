#include "dataio/pack/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataio/error.h"

namespace casvit::dataio {
namespace {

using ::testing::HasSubstr;

std::string refusal(const std::string& text) {
  try {
    static_cast<void>(parse_split(text));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(ParseSplit, TakesNamesAndFractions) {
  const std::vector<SplitShare> shares = parse_split("train=0.7,val=.2,hold_out-2=1e-1");
  ASSERT_EQ(shares.size(), 3U);
  EXPECT_EQ(shares[0].name, "train");
  EXPECT_DOUBLE_EQ(shares[1].fraction, 0.2);
  EXPECT_EQ(shares[2].name, "hold_out-2");
}

TEST(ParseSplit, SaysWhatIsWrong) {
  EXPECT_THAT(refusal("train"), HasSubstr("'train' is not NAME=FRACTION"));
  EXPECT_THAT(refusal("train=0.8,train=0.2"), HasSubstr("appears twice"));
  EXPECT_THAT(refusal("train=0.8,val=0.3"), HasSubstr("add up to 1.1"));
  EXPECT_THAT(refusal("train=0.8x,val=0.2"), HasSubstr("'0.8x' is not a fraction"));
  EXPECT_THAT(refusal("train=1.5,val=-0.5"), HasSubstr("'1.5' is not a fraction"));
  EXPECT_THAT(refusal("train=nan"), HasSubstr("'nan' is not a fraction"));
  EXPECT_THAT(refusal("../x=1"), HasSubstr("is not made of letters"));
  EXPECT_THAT(refusal(""), HasSubstr("add up to 0"));
}

std::vector<std::int32_t> labels_of(const std::vector<std::size_t>& counts) {
  std::vector<std::int32_t> labels;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    labels.insert(labels.end(), counts[c], static_cast<std::int32_t>(c));
  }
  return labels;
}

std::vector<std::vector<std::size_t>> counted(const std::vector<std::int32_t>& labels,
                                              const std::vector<std::size_t>& share_of,
                                              std::size_t classes, std::size_t shares) {
  std::vector<std::vector<std::size_t>> counts(classes, std::vector<std::size_t>(shares));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    ++counts[static_cast<std::size_t>(labels[i])][share_of[i]];
  }
  return counts;
}

TEST(StratifiedSplit, KeepsTheProportionsInEveryClass) {
  const auto labels = labels_of({100, 30, 7, 2, 1});
  const auto shares = parse_split("train=0.8,val=0.1,test=0.1");
  const auto share_of = stratified_split(labels, {"a", "b", "c", "d", "e"}, shares, 1);
  const auto counts = counted(labels, share_of, 5, 3);
  EXPECT_EQ(counts[0], (std::vector<std::size_t>{80, 10, 10}));
  EXPECT_EQ(counts[1], (std::vector<std::size_t>{24, 3, 3}));
  EXPECT_EQ(counts[2], (std::vector<std::size_t>{5, 1, 1}));  // none is left empty
  EXPECT_EQ(counts[3][0] + counts[3][1] + counts[3][2], 2U);
  EXPECT_EQ(counts[4], (std::vector<std::size_t>{1, 0, 0}));
}

TEST(StratifiedSplit, DependsOnSeedAndClassNameAlone) {
  const auto shares = parse_split("train=0.5,val=0.5");
  const auto labels = labels_of({40, 40});
  const auto first = stratified_split(labels, {"a", "b"}, shares, 1);
  EXPECT_EQ(first, stratified_split(labels, {"a", "b"}, shares, 1));
  EXPECT_NE(first, stratified_split(labels, {"a", "b"}, shares, 2));
  // Classes are cut differently from each other, and the same whatever comes before them.
  const std::vector<std::size_t> a(first.begin(), first.begin() + 40);
  const std::vector<std::size_t> b(first.begin() + 40, first.end());
  EXPECT_NE(a, b);
  EXPECT_EQ(b, stratified_split(labels_of({40}), {"b"}, shares, 1));
}

}  // namespace
}  // namespace casvit::dataio
