// What a summary refuses; what it holds is read by TensorBoard itself in
// tests/trainer/engine/tensorboard_test.py.

#include "trainer/telemetry/summary.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "trainer/telemetry/hparams.h"

namespace casvit::trainer {
namespace {

using namespace std::string_literals;

bool holds(const Summary& summary, const std::string& bytes) {
  return summary.message().encoded().find(bytes) != std::string::npos;
}

TEST(Summary, IsEmptyUntilSomethingIsAdded) {
  Summary summary;
  EXPECT_TRUE(summary.empty());
  EXPECT_FALSE(summary.scalar("a", 1).empty());
}

TEST(Summary, SizeOfAPictureIsThatOfItsHeader) {
  const std::string head = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x02\0\0\0\x09"s;
  Summary summary;
  summary.image("a", head);
  EXPECT_TRUE(holds(summary,
                    "\x03"
                    "258"s));
  EXPECT_TRUE(holds(summary,
                    "\x01"
                    "9"s));
  EXPECT_THROW(summary.image("a", ""), std::invalid_argument);
  EXPECT_THROW(summary.image("a", head.substr(0, 20)), std::invalid_argument);
  EXPECT_THROW(summary.image("a", "\xff\xd8\xff\xe0 a JPEG, which it is not to be"),
               std::invalid_argument);
}

TEST(Hparams, NamesAndValuesOfAnyBytesBecomeUtf8) {
  Summary summary;
  add_session_start(summary, {{"data.train", "\"\xff.h5\"", "[]"}}, {}, 0);
  EXPECT_TRUE(holds(summary, "\"\xef\xbf\xbd.h5\""));
  EXPECT_FALSE(holds(summary, "\xff.h5"));
}

}  // namespace
}  // namespace casvit::trainer
