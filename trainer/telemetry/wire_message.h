#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace casvit::trainer {

/// A message in protobuf's wire format (protobuf.dev/programming-guides/encoding), field by field.
/// Only what event files need; the library would be the only thing of its kind in this room, and
/// needs generated code for eight small messages. What it writes is read back by TensorBoard in
/// tests.
class WireMessage {
 public:
  /// int32, int64, uint64, bool and enumerations; negative numbers take ten bytes.
  WireMessage& varint(std::uint32_t field, std::int64_t value);
  WireMessage& float32(std::uint32_t field, float value);
  WireMessage& float64(std::uint32_t field, double value);
  /// string and bytes.
  WireMessage& bytes(std::uint32_t field, std::string_view value);
  WireMessage& message(std::uint32_t field, const WireMessage& value) {
    return bytes(field, value.encoded());
  }

  const std::string& encoded() const { return encoded_; }

 private:
  void key(std::uint32_t field, std::uint32_t wire_type);
  void raw_varint(std::uint64_t value);

  std::string encoded_;
};

/// `value` in `bytes` bytes, the least significant first.
void append_little_endian(std::string& out, std::uint64_t value, int bytes);

}  // namespace casvit::trainer
