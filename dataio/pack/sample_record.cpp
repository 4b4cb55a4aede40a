#include "dataio/pack/sample_record.h"

#include <cstring>

#include "dataio/error.h"

namespace casvit::dataio {

void append_text(std::string& bytes, std::string_view text) {
  append_number(bytes, static_cast<std::uint64_t>(text.size()));
  bytes.append(text);
}

void take_bytes(std::string_view& bytes, void* to, std::size_t size) {
  if (bytes.size() < size) throw InputError("it ends too early");
  std::memcpy(to, bytes.data(), size);
  bytes.remove_prefix(size);
}

std::string take_text(std::string_view& bytes) {
  const auto size = take_number<std::uint64_t>(bytes);
  if (bytes.size() < size) throw InputError("it ends too early");
  std::string text(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return text;
}

void append_record(std::string& bytes, const SampleRecord& record) {
  append_number(bytes, record.source.bytes);
  append_number(bytes, record.source.modified_ns);
  append_number(bytes, record.length);
  if (record.length == 0) return append_text(bytes, record.rejected);
  append_number(bytes, record.height);
  append_number(bytes, record.width);
  append_number(bytes, static_cast<std::uint8_t>(record.codec));
  append_number(bytes, record.orientation);
  append_number(bytes, record.xxh3);
}

SampleRecord take_record(std::string_view& bytes) {
  SampleRecord record;
  record.source.bytes = take_number<std::uint64_t>(bytes);
  record.source.modified_ns = take_number<std::int64_t>(bytes);
  record.length = take_number<std::uint32_t>(bytes);
  if (record.length == 0) {
    record.rejected = take_text(bytes);
    return record;
  }
  record.height = take_number<std::uint32_t>(bytes);
  record.width = take_number<std::uint32_t>(bytes);
  record.codec = static_cast<Codec>(take_number<std::uint8_t>(bytes));
  record.orientation = take_number<std::uint8_t>(bytes);
  record.xxh3 = take_number<std::uint64_t>(bytes);
  return record;
}

}  // namespace casvit::dataio
