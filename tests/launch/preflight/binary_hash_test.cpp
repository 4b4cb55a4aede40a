#include "launch/preflight/binary_hash.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace casvit::launch {
namespace {

TEST(BinaryHash, IsThatOfTheFileThatRuns) {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  ASSERT_GT(bytes.size(), 1000U);
  EXPECT_EQ(binary_hash(), hash_of(bytes));
  EXPECT_EQ(binary_hash().size(), 16U);
}

TEST(BinaryHash, ChangesWithOneByte) { EXPECT_NE(hash_of("casvit"), hash_of("casviu")); }

}  // namespace
}  // namespace casvit::launch
