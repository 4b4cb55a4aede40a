// Messages have protobuf's wire format: examples of protobuf.dev/programming-guides/encoding.

#include "trainer/telemetry/wire_message.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace casvit::trainer {
namespace {

using namespace std::string_literals;

TEST(WireMessage, ExamplesOfTheGuide) {
  EXPECT_EQ(WireMessage().varint(1, 150).encoded(), "\x08\x96\x01"s);
  EXPECT_EQ(WireMessage().bytes(2, "testing").encoded(), "\x12\x07testing"s);
  EXPECT_EQ(WireMessage().message(3, WireMessage().varint(1, 150)).encoded(),
            "\x1a\x03\x08\x96\x01"s);
  EXPECT_EQ(WireMessage().varint(1, -2).encoded(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
}

TEST(WireMessage, EndsOfRanges) {
  EXPECT_EQ(WireMessage().varint(1, 0).encoded(), "\x08\0"s);
  EXPECT_EQ(WireMessage().varint(1, 127).encoded(), "\x08\x7f"s);
  EXPECT_EQ(WireMessage().varint(1, 128).encoded(), "\x08\x80\x01"s);
  EXPECT_EQ(WireMessage().varint(1, std::numeric_limits<std::int64_t>::max()).encoded(),
            "\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"s);
  EXPECT_EQ(WireMessage().bytes(16, "").encoded(), "\x82\x01\0"s);  // a key of two bytes
  EXPECT_EQ(WireMessage().bytes(1, std::string(300, 'x')).encoded(),
            "\x0a\xac\x02"s + std::string(300, 'x'));
}

TEST(WireMessage, NumbersOfFixedLengthAreLittleEndian) {
  EXPECT_EQ(WireMessage().float32(2, 1.5F).encoded(), "\x15\0\0\xc0\x3f"s);
  EXPECT_EQ(WireMessage().float64(1, -2).encoded(), "\x09\0\0\0\0\0\0\0\xc0"s);
  std::string bytes;
  append_little_endian(bytes, 0x0102030405060708U, 8);
  append_little_endian(bytes, 0xa0b0c0d0U, 4);
  EXPECT_EQ(bytes, "\x08\x07\x06\x05\x04\x03\x02\x01\xd0\xc0\xb0\xa0"s);
}

}  // namespace
}  // namespace casvit::trainer
