#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dataio/image/decode.h"

namespace casvit::dataio {

/// Size and time of a source when it was read: another one tells that it changed.
struct SourceStamp {
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  ///< since 1970

  bool operator==(const SourceStamp&) const = default;
};

/// What became of a candidate: a packed picture, or the reason why not.
struct SampleRecord {
  std::string rejected;      ///< the reason; empty for a packed picture
  std::uint32_t length = 0;  ///< bytes as stored
  std::uint32_t height = 0;  ///< pixels
  std::uint32_t width = 0;   ///< pixels
  Codec codec = Codec::kJpeg;
  std::uint8_t orientation = 1;  ///< EXIF, 1 to 8
  std::uint64_t xxh3 = 0;        ///< of the stored bytes
  SourceStamp source;
};

/// Records as bytes, one after the other: what journals hold and ranks exchange.
void append_record(std::string& bytes, const SampleRecord& record);

/// Takes the first record off `bytes`. @throws InputError when it does not begin with a whole one.
SampleRecord take_record(std::string_view& bytes);

/// Numbers and texts for append_record and the like, in the byte order of the machine.
template <typename T>
void append_number(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void append_text(std::string& bytes, std::string_view text);

/// @throws InputError when `bytes` ends too early.
void take_bytes(std::string_view& bytes, void* to, std::size_t size);
std::string take_text(std::string_view& bytes);
template <typename T>
T take_number(std::string_view& bytes) {
  T value{};
  take_bytes(bytes, &value, sizeof value);
  return value;
}

}  // namespace casvit::dataio
