// CRC-32C has the sums of RFC 3720, and records carry them as TensorFlow masks them.

#include "trainer/telemetry/crc32c.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace casvit::trainer {
namespace {

std::string ascending() {
  std::string bytes;
  for (char c = 0; c < 32; ++c) bytes += c;
  return bytes;
}

// RFC 3720, B.4, which prints the sums' bytes with the least significant first.
TEST(Crc32c, HasTheSumsOfTheRfc) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c(ascending()), 0x46dd794eU);
  std::string descending = ascending();
  std::ranges::reverse(descending);
  EXPECT_EQ(crc32c(descending), 0x113fdb5cU);
  std::string read_command(48, '\0');  // an iSCSI SCSI Read (10) command PDU
  read_command.replace(0, 2, "\x01\xc0", 2);
  read_command[16] = '\x14';
  read_command[22] = '\x04';
  read_command[27] = '\x14';
  read_command[31] = '\x18';
  read_command[32] = '\x28';
  read_command[40] = '\x02';
  EXPECT_EQ(crc32c(read_command), 0xd9963a56U);
}

TEST(Crc32c, OfNothingAndOfTheUsualCheck) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
}

// tensorflow/core/lib/hash/crc32c.h: Unmask.
TEST(Crc32c, TheMaskCanBeTakenOff) {
  for (const std::string bytes : {"", "a", "123456789"}) {
    const std::uint32_t rotated = masked_crc32c(bytes) - 0xa282ead8U;
    EXPECT_EQ(rotated >> 17U | rotated << 15U, crc32c(bytes)) << bytes;
  }
}

}  // namespace
}  // namespace casvit::trainer
