#include "trainer/telemetry/wire_message.h"

#include <bit>

namespace casvit::trainer {
namespace {

constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kEightBytes = 1;
constexpr std::uint32_t kLengthDelimited = 2;
constexpr std::uint32_t kFourBytes = 5;

}  // namespace

void append_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
}

void WireMessage::raw_varint(std::uint64_t value) {
  while (value >= 0x80U) {
    encoded_ += static_cast<char>((value & 0x7FU) | 0x80U);
    value >>= 7U;
  }
  encoded_ += static_cast<char>(value);
}

void WireMessage::key(std::uint32_t field, std::uint32_t wire_type) {
  raw_varint(std::uint64_t{field} << 3U | wire_type);
}

WireMessage& WireMessage::varint(std::uint32_t field, std::int64_t value) {
  key(field, kVarint);
  raw_varint(static_cast<std::uint64_t>(value));
  return *this;
}

WireMessage& WireMessage::float32(std::uint32_t field, float value) {
  key(field, kFourBytes);
  append_little_endian(encoded_, std::bit_cast<std::uint32_t>(value), 4);
  return *this;
}

WireMessage& WireMessage::float64(std::uint32_t field, double value) {
  key(field, kEightBytes);
  append_little_endian(encoded_, std::bit_cast<std::uint64_t>(value), 8);
  return *this;
}

WireMessage& WireMessage::bytes(std::uint32_t field, std::string_view value) {
  key(field, kLengthDelimited);
  raw_varint(value.size());
  encoded_ += value;
  return *this;
}

}  // namespace casvit::trainer
