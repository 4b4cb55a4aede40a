#include "trainer/import/zip_archive.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "trainer/checkpoint/quoted_name.h"
#include "trainer/error.h"
#include "trainer/import/crc32.h"

namespace casvit::trainer {
namespace {

static_assert(std::endian::native == std::endian::little, "zip fields are read as they are");

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kListedSignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kZip64EndSignature = 0x06064b50;
constexpr std::uint32_t kZip64LocatorSignature = 0x07064b50;
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kListedBytes = 46;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kZip64EndBytes = 56;
constexpr std::uint64_t kZip64LocatorBytes = 20;

constexpr std::uint32_t kIn64Bits = 0xFFFFFFFF;  ///< the value stands in the zip64 extra field
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint16_t kSizesFollow = 1U << 3;  ///< sizes and CRC stand behind the data, too
constexpr std::uint16_t kEncrypted = 1U << 0 | 1U << 6 | 1U << 13;

/// A directory of the largest file that torch writes has some tens of thousands of entries.
constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{64} << 20;

template <class Integer>
Integer field(std::string_view bytes, std::uint64_t offset) {
  Integer value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::string read_bytes(const InputFile& file, std::uint64_t offset, std::uint64_t count) {
  std::string bytes(count, '\0');
  file.read(offset, bytes.data(), bytes.size());
  return bytes;
}

/// Fills in, in the order of the zip64 extra field, the values that the header has no room for.
/// @return false where the field is missing or too short
bool widen(std::string_view extra, std::initializer_list<std::uint64_t*> values) {
  const bool any =
      std::any_of(values.begin(), values.end(), [](auto* value) { return *value == kIn64Bits; });
  while (any && extra.size() >= 4) {
    const auto kind = field<std::uint16_t>(extra, 0);
    const auto length = field<std::uint16_t>(extra, 2);
    extra.remove_prefix(4);
    if (length > extra.size()) return false;
    if (kind == kZip64Extra) {
      std::uint64_t used = 0;
      for (std::uint64_t* value : values) {
        if (*value != kIn64Bits) continue;
        if (used + 8 > length) return false;
        *value = field<std::uint64_t>(extra, used);
        used += 8;
      }
      return true;
    }
    extra.remove_prefix(length);
  }
  return !any;
}

}  // namespace

/// An entry as the directory has it.
struct ZipArchive::Listed {
  std::string name;
  std::uint16_t flags = 0;
  std::uint32_t crc = 0;
  std::uint64_t bytes = 0;
  std::uint64_t header_offset = 0;
};

void ZipArchive::refuse(const std::string& defect) const {
  throw CheckpointError(file_.path() + ": " + defect);
}

ZipArchive::ZipArchive(const InputFile& file) : file_(file) {
  const Directory directory = find_directory();
  std::vector<Listed> listed = list(directory);
  std::sort(listed.begin(), listed.end(), [](const Listed& left, const Listed& right) {
    return left.header_offset < right.header_offset;
  });
  for (std::size_t i = 0; i < listed.size(); ++i) {
    place(listed[i], i + 1 < listed.size() ? listed[i + 1].header_offset : directory.offset);
  }
}

ZipArchive::Directory ZipArchive::find_directory() const {
  if (file_.bytes() < kEndBytes) refuse("is cut off: it has no zip directory");
  const std::uint64_t end_offset = file_.bytes() - kEndBytes;
  const std::string end = read_bytes(file_, end_offset, kEndBytes);
  if (field<std::uint32_t>(end, 0) != kEndSignature || field<std::uint16_t>(end, 20) != 0) {
    refuse("is cut off, or has something behind its end: no zip directory ends where it ends");
  }
  const auto disk = field<std::uint16_t>(end, 4);
  const auto directory_disk = field<std::uint16_t>(end, 6);
  Directory directory{field<std::uint16_t>(end, 10), field<std::uint32_t>(end, 16),
                      field<std::uint32_t>(end, 12)};
  std::uint64_t directory_end = end_offset;
  if (end_offset >= kZip64LocatorBytes) {
    const std::uint64_t locator_offset = end_offset - kZip64LocatorBytes;
    const std::string locator = read_bytes(file_, locator_offset, kZip64LocatorBytes);
    if (field<std::uint32_t>(locator, 0) == kZip64LocatorSignature) {
      const Directory wide = read_zip64_end(locator_offset);
      const auto differs = [](std::uint64_t narrow, std::uint64_t limit, std::uint64_t value) {
        return narrow != limit && narrow != value;
      };
      if (differs(directory.entries, 0xFFFF, wide.entries) ||
          differs(directory.offset, kIn64Bits, wide.offset) ||
          differs(directory.bytes, kIn64Bits, wide.bytes)) {
        refuse("its two zip directory records contradict each other");
      }
      directory = wide;
      directory_end = field<std::uint64_t>(locator, 8);
    }
  }
  if ((disk != 0 && disk != 0xFFFF) || (directory_disk != 0 && directory_disk != 0xFFFF)) {
    refuse("is one of several parts of a zip archive");
  }
  if (directory.offset > directory_end || directory.bytes != directory_end - directory.offset) {
    refuse("its zip directory does not lie where the file says");
  }
  if (directory.bytes > kMaxDirectoryBytes) {
    refuse("its zip directory has " + std::to_string(directory.bytes) + " bytes; the limit is " +
           std::to_string(kMaxDirectoryBytes));
  }
  return directory;
}

ZipArchive::Directory ZipArchive::read_zip64_end(std::uint64_t locator_offset) const {
  const std::string locator = read_bytes(file_, locator_offset, kZip64LocatorBytes);
  const auto offset = field<std::uint64_t>(locator, 8);
  if (offset > locator_offset || locator_offset - offset != kZip64EndBytes) {
    refuse("its zip64 record does not lie where the file says");
  }
  const std::string end = read_bytes(file_, offset, kZip64EndBytes);
  if (field<std::uint32_t>(end, 0) != kZip64EndSignature ||
      field<std::uint64_t>(end, 4) != kZip64EndBytes - 12 || field<std::uint32_t>(end, 16) != 0 ||
      field<std::uint32_t>(end, 20) != 0 ||
      field<std::uint64_t>(end, 24) != field<std::uint64_t>(end, 32)) {
    refuse("its zip64 record is damaged");
  }
  return {field<std::uint64_t>(end, 32), field<std::uint64_t>(end, 48),
          field<std::uint64_t>(end, 40)};
}

std::vector<ZipArchive::Listed> ZipArchive::list(const Directory& directory) const {
  if (directory.entries > directory.bytes / kListedBytes) {
    refuse("its zip directory is too small for the " + std::to_string(directory.entries) +
           " entries that it announces");
  }
  const std::string bytes = read_bytes(file_, directory.offset, directory.bytes);
  std::string_view rest = bytes;
  std::vector<Listed> listed;
  listed.reserve(directory.entries);
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (rest.size() < kListedBytes || field<std::uint32_t>(rest, 0) != kListedSignature) {
      refuse("its zip directory is damaged at entry " + std::to_string(i));
    }
    const std::size_t name_length = field<std::uint16_t>(rest, 28);
    const std::size_t extra_length = field<std::uint16_t>(rest, 30);
    const std::size_t comment_length = field<std::uint16_t>(rest, 32);
    if (rest.size() - kListedBytes < name_length + extra_length + comment_length) {
      refuse("its zip directory is damaged at entry " + std::to_string(i));
    }
    Listed entry;
    entry.name = rest.substr(kListedBytes, name_length);
    entry.flags = field<std::uint16_t>(rest, 8);
    entry.crc = field<std::uint32_t>(rest, 16);
    const std::string what = "zip entry " + in_quotes(entry.name);
    if ((entry.flags & kEncrypted) != 0) refuse(what + " is encrypted");
    if (const auto method = field<std::uint16_t>(rest, 10); method != 0) {
      refuse(what + " is compressed (method " + std::to_string(method) +
             "); torch.save never does that: save the weights anew with it");
    }
    std::uint64_t stored = field<std::uint32_t>(rest, 20);
    entry.bytes = field<std::uint32_t>(rest, 24);
    entry.header_offset = field<std::uint32_t>(rest, 42);
    if (!widen(rest.substr(kListedBytes + name_length, extra_length),
               {&entry.bytes, &stored, &entry.header_offset})) {
      refuse(what + " lacks its 64-bit sizes");
    }
    if (stored != entry.bytes) refuse(what + " has two sizes");
    listed.push_back(std::move(entry));
    rest.remove_prefix(kListedBytes + name_length + extra_length + comment_length);
  }
  if (!rest.empty()) refuse("its zip directory has more in it than its entries");
  return listed;
}

/// Compares an entry with its own header; all of it lies before `end`, where the next one begins.
void ZipArchive::place(const Listed& listed, std::uint64_t end) {
  const std::string what = "zip entry " + in_quotes(listed.name);
  if (listed.header_offset > end || end - listed.header_offset < kLocalBytes) {
    refuse(what + " overlaps what follows it, or lies outside the file");
  }
  const std::uint64_t room = end - listed.header_offset - kLocalBytes;
  const std::string header = read_bytes(file_, listed.header_offset, kLocalBytes);
  const std::uint64_t name_length = field<std::uint16_t>(header, 26);
  const std::uint64_t extra_length = field<std::uint16_t>(header, 28);
  if (field<std::uint32_t>(header, 0) != kLocalSignature || name_length + extra_length > room) {
    refuse(what + " has no header of its own");
  }
  const std::string tail =
      read_bytes(file_, listed.header_offset + kLocalBytes, name_length + extra_length);
  std::uint64_t stored = field<std::uint32_t>(header, 18);
  std::uint64_t bytes = field<std::uint32_t>(header, 22);
  const auto crc = field<std::uint32_t>(header, 14);
  if (!widen(std::string_view(tail).substr(name_length), {&bytes, &stored})) {
    refuse(what + " lacks its 64-bit sizes");
  }
  const bool sizes_follow = (listed.flags & kSizesFollow) != 0;
  const auto agrees = [&](std::uint64_t value, std::uint64_t expected) {
    return value == expected || (sizes_follow && value == 0);
  };
  if (field<std::uint16_t>(header, 6) != listed.flags || field<std::uint16_t>(header, 8) != 0 ||
      tail.compare(0, name_length, listed.name) != 0 || !agrees(bytes, listed.bytes) ||
      !agrees(stored, listed.bytes) || !agrees(crc, listed.crc)) {
    refuse(what + " is another one in the directory than in its own header");
  }
  if (listed.bytes > room - name_length - extra_length) {
    refuse(what + " overlaps what follows it, or lies outside the file");
  }
  if (!index_.emplace(listed.name, entries_.size()).second) refuse(what + " is there twice");
  has_checksums_ = has_checksums_ || listed.crc != 0;
  entries_.push_back({listed.name, listed.header_offset + kLocalBytes + name_length + extra_length,
                      listed.bytes, listed.crc});
}

const ZipArchive::Entry* ZipArchive::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

void ZipArchive::check(const Entry& entry) const {
  // No fuzzer guesses a checksum.
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  if (!has_checksums_) return;
  std::vector<char> piece(std::min<std::uint64_t>(entry.bytes, std::uint64_t{1} << 20));
  std::uint32_t crc = 0;
  for (std::uint64_t done = 0; done < entry.bytes;) {
    const std::uint64_t count = std::min<std::uint64_t>(piece.size(), entry.bytes - done);
    file_.read(entry.offset + done, piece.data(), count);
    crc = crc32(crc, piece.data(), count);
    done += count;
  }
  if (crc != entry.crc) {
    refuse("zip entry " + in_quotes(entry.name) +
           " is damaged: its bytes do not have the checksum that they were saved with");
  }
#else
  (void)entry;
#endif
}

std::string ZipArchive::read(const Entry& entry, std::uint64_t limit) const {
  if (entry.bytes > limit) {
    refuse("zip entry " + in_quotes(entry.name) + " has " + std::to_string(entry.bytes) +
           " bytes; the limit is " + std::to_string(limit));
  }
  check(entry);
  return read_bytes(file_, entry.offset, entry.bytes);
}

}  // namespace casvit::trainer
