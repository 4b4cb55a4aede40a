#include "dataio/container/hdf5_format/file_blocks.h"

#include <bit>
#include <cstring>

#include "dataio/container/file_descriptor.h"
#include "dataio/error.h"

namespace casvit::dataio::hdf5_format {
namespace {

/// A container's largest block is an object header of some kilobytes, or the heap with its strings.
constexpr std::uint64_t kMaxBlockBytes = std::uint64_t{16} << 20U;
constexpr std::uint64_t kMaxReadBytes = std::uint64_t{64} << 20U;

/// The three words of lookup3 and its two ways of mixing them.
struct Lookup3 {
  std::uint32_t a, b, c;

  void mix() {
    step(a, c, 4, b);
    step(b, a, 6, c);
    step(c, b, 8, a);
    step(a, c, 16, b);
    step(b, a, 19, c);
    step(c, b, 4, a);
  }

  void finish() {
    close(c, b, 14);
    close(a, c, 11);
    close(b, a, 25);
    close(c, b, 16);
    close(a, c, 4);
    close(b, a, 14);
    close(c, b, 24);
  }

 private:
  static void step(std::uint32_t& x, std::uint32_t& y, int turn, std::uint32_t& z) {
    x -= y;
    x ^= std::rotl(y, turn);
    y += z;
  }
  static void close(std::uint32_t& x, std::uint32_t y, int turn) {
    x ^= y;
    x -= std::rotl(y, turn);
  }
};

}  // namespace

void throw_damaged(const std::string& what) {
  throw InputError("it is damaged or cut short: " + what);
}

void throw_unsupported(const std::string& what) {
  throw InputError(what +
                   "; a container is stored plainly, as casvit-pack writes it: pack it again");
}

std::vector<std::uint8_t> FileBlocks::read(std::uint64_t offset, std::uint64_t length,
                                           const std::string& what) {
  if (offset > file_bytes_ || length > file_bytes_ - offset) {
    throw_damaged(what + " reaches beyond the end of the file");
  }
  if (length > kMaxBlockBytes || length > kMaxReadBytes - read_bytes_) {
    throw_damaged(what + " is larger than any that a container has");
  }
  read_bytes_ += length;
  std::vector<std::uint8_t> bytes(length);
  const std::string problem = read_at(descriptor_, offset, bytes);
  if (!problem.empty()) throw InputError(what + " cannot be read: " + problem);
  return bytes;
}

std::uint64_t BlockCursor::number(std::size_t width) {
  std::uint64_t value = 0;
  const auto bytes = take(width);
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

std::span<const std::uint8_t> BlockCursor::take(std::uint64_t count) {
  if (count > left()) throw_damaged(what_ + " ends too early");
  const auto part = bytes_.subspan(position_, count);
  position_ += count;
  return part;
}

void BlockCursor::expect(const char* signature) {
  const auto found = take(std::strlen(signature));
  if (std::memcmp(found.data(), signature, found.size()) != 0) {
    throw_damaged(what_ + " does not begin with " + signature);
  }
}

std::uint32_t metadata_checksum(std::span<const std::uint8_t> bytes) {
  constexpr std::uint32_t kStart = 0xdeadbeef;
  const std::uint32_t start = kStart + static_cast<std::uint32_t>(bytes.size());
  Lookup3 state{start, start, start};
  const auto word = [&bytes](std::size_t at) {  // zeros behind the end
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4 && at + i < bytes.size(); ++i) {
      value |= std::uint32_t{bytes[at + i]} << (8 * i);
    }
    return value;
  };
  for (std::size_t at = 0; at < bytes.size(); at += 12) {
    state.a += word(at);
    state.b += word(at + 4);
    state.c += word(at + 8);
    if (bytes.size() - at <= 12) {
      state.finish();
    } else {
      state.mix();
    }
  }
  return state.c;
}

void check_metadata_checksum(std::span<const std::uint8_t> block, const std::string& what) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  // A fuzzer cannot guess checksums, and would get no further than here.
  if (block.size() < 4) throw_damaged(what + " ends too early");
#else
  if (block.size() < 4) throw_damaged(what + " ends too early");
  const auto covered = block.first(block.size() - 4);
  if (BlockCursor(block.last(4), what).u32() != metadata_checksum(covered)) {
    throw_damaged(what + " does not fit its checksum");
  }
#endif
}

}  // namespace casvit::dataio::hdf5_format
