#include <zlib.h>

#include <cstring>

#include "dataio/image/codec.h"

namespace casvit::dataio {
namespace {

constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kHeaderBytes = 13;

std::uint32_t big_endian32(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[0]) << 24 | static_cast<std::uint32_t>(at[1]) << 16 |
         static_cast<std::uint32_t>(at[2]) << 8 | at[3];
}

struct Chunk {
  const std::uint8_t* type = nullptr;  ///< four letters, followed by the data
  std::size_t length = 0;              ///< of the data

  bool is(const char* name) const { return std::memcmp(type, name, 4) == 0; }
  const std::uint8_t* data() const { return type + 4; }
};

/// The chunk at `at`, which moves behind it.
Chunk next_chunk(std::span<const std::uint8_t> bytes, std::size_t& at) {
  if (bytes.size() - at < 12) throw InputError("truncated PNG: it ends before its end chunk");
  Chunk chunk;
  chunk.length = big_endian32(bytes.data() + at);
  chunk.type = bytes.data() + at + 4;
  if (chunk.length > bytes.size() - at - 12) {
    throw InputError("truncated PNG: it ends inside a chunk");
  }
  at += chunk.length + 12;
  return chunk;
}

void check_sum(const Chunk& chunk) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  static_cast<void>(chunk);  // a fuzzer cannot guess checksums, and would get no further than here
#else
  const auto sum = crc32(0, chunk.type, static_cast<uInt>(chunk.length + 4));
  if (sum != big_endian32(chunk.data() + chunk.length)) {
    std::string name;
    for (int i = 0; i < 4; ++i) {
      const bool printable = chunk.type[i] >= ' ' && chunk.type[i] <= '~';
      name += printable ? static_cast<char>(chunk.type[i]) : '?';
    }
    throw InputError("corrupt PNG: wrong checksum of its chunk " + name);
  }
#endif
}

}  // namespace

ImageHeader read_png_header(std::span<const std::uint8_t> bytes) {
  std::size_t at = kSignatureBytes;
  const Chunk chunk = next_chunk(bytes, at);
  if (!chunk.is("IHDR") || chunk.length != kHeaderBytes) {
    throw InputError("corrupt PNG: it does not begin with its header");
  }
  check_sum(chunk);
  const std::uint32_t width = big_endian32(chunk.data());
  const std::uint32_t height = big_endian32(chunk.data() + 4);
  if (width > INT32_MAX || height > INT32_MAX) {
    throw InputError("corrupt PNG: its sides are out of range");
  }
  ImageHeader header;
  header.codec = Codec::kPng;
  header.height = static_cast<int>(height);
  header.width = static_cast<int>(width);
  return header;
}

void check_png_structure(std::span<const std::uint8_t> bytes) {
  std::size_t at = kSignatureBytes;
  bool has_data = false;
  for (;;) {
    const Chunk chunk = next_chunk(bytes, at);
    check_sum(chunk);
    has_data |= chunk.is("IDAT");
    if (chunk.is("IEND")) break;
  }
  if (!has_data) throw InputError("corrupt PNG: it has no picture data");
}

std::vector<std::uint8_t> find_png_exif(std::span<const std::uint8_t> bytes) {
  std::size_t at = kSignatureBytes;
  std::vector<std::uint8_t> exif;
  for (;;) {
    const Chunk chunk = next_chunk(bytes, at);
    if (chunk.is("eXIf")) exif.assign(chunk.data(), chunk.data() + chunk.length);
    if (chunk.is("IEND")) return exif;
  }
}

}  // namespace casvit::dataio
