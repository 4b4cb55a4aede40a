#include "launch/preflight/agreement.h"

#include <gtest/gtest.h>

namespace casvit::launch {
namespace {

TEST(Dissenters, AreThoseWithoutTheCommonestValue) {
  EXPECT_EQ(dissenters({"a"}), std::vector<int>{});
  EXPECT_EQ(dissenters({"a", "a", "a"}), std::vector<int>{});
  EXPECT_EQ(dissenters({"a", "a", "b", "a"}), std::vector<int>{2});
  EXPECT_EQ(dissenters({"b", "a", "a"}), std::vector<int>{0});  // rank 0 may be the odd one
  EXPECT_EQ(dissenters({"a", "b", "a", "c"}), (std::vector<int>{1, 3}));
}

TEST(Dissenters, BetweenEqualsTheLowestRankIsRight) {
  EXPECT_EQ(dissenters({"a", "b"}), std::vector<int>{1});
  EXPECT_EQ(dissenters({"b", "a", "a", "b"}), (std::vector<int>{1, 2}));
}

TEST(RanksText, ShortensWhatFollowsOneAnother) {
  EXPECT_EQ(ranks_text({3}), "rank 3");
  EXPECT_EQ(ranks_text({1, 2}), "ranks 1, 2");
  EXPECT_EQ(ranks_text({1, 2, 3, 7}), "ranks 1-3, 7");
  EXPECT_EQ(ranks_text({0, 2, 4, 5, 6}), "ranks 0, 2, 4-6");
}

TEST(RanksText, NamesHosts) {
  const std::vector<std::string> hosts{"a", "a", "b", "c", "d"};
  EXPECT_EQ(ranks_and_hosts_text({1}, hosts), "rank 1 on a");
  EXPECT_EQ(ranks_and_hosts_text({0, 1}, hosts), "ranks 0, 1 on a");
  EXPECT_EQ(ranks_and_hosts_text({1, 2}, hosts), "ranks 1, 2 (a, b)");
  EXPECT_EQ(ranks_and_hosts_text({0, 1, 2, 3, 4}, hosts), "ranks 0-4 (a, b, c, ...)");
}

}  // namespace
}  // namespace casvit::launch
