#include "dataio/pack/tar_archive.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string_view>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

constexpr std::uint64_t kBlock = 512;
/// A name longer than this is an attack on memory; Linux takes 4096 bytes.
constexpr std::uint64_t kMaxExtension = 1 << 20;
constexpr std::uint64_t kUnreadable = ~std::uint64_t{0};

using Header = std::array<char, kBlock>;

/// Fields of a header block: (offset, size).
struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kSize{124, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kMagic{257, 5};
constexpr Field kPrefix{345, 155};

std::string_view text_of(const Header& header, const Field& field) {
  const std::string_view all(header.data() + field.at, field.size);
  return all.substr(0, all.find('\0'));
}

/// Octal digits among blanks, or GNU's binary form, marked by the highest bit. kUnreadable for
/// others.
std::uint64_t number_of(const Header& header, const Field& field) {
  const std::string_view bytes(header.data() + field.at, field.size);
  if (static_cast<unsigned char>(bytes[0]) == 0x80) {
    std::uint64_t value = 0;
    for (const char byte : bytes.substr(1)) {
      if (value >> 55 != 0) return kUnreadable;
      value = value << 8 | static_cast<unsigned char>(byte);
    }
    return value;
  }
  std::string_view digits = text_of(header, field);
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  digits = digits.substr(0, digits.find(' '));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return digits.empty() ? 0 : whole ? value : kUnreadable;
}

/// The sum of all bytes, with blanks in place of the checksum; old archives sum signed bytes.
bool checksum_fits(const Header& header) {
  const std::uint64_t stored = number_of(header, kChecksum);
  std::int64_t plain = 0;
  std::int64_t with_signs = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool is_checksum = i >= kChecksum.at && i < kChecksum.at + kChecksum.size;
    const char byte = is_checksum ? ' ' : header[i];
    plain += static_cast<unsigned char>(byte);
    with_signs += static_cast<signed char>(byte);
  }
  return std::cmp_equal(stored, plain) || std::cmp_equal(stored, with_signs);
}

bool is_zero(const Header& header) {
  return std::all_of(header.begin(), header.end(), [](char byte) { return byte == 0; });
}

std::string name_of(const Header& header) {
  const std::string name(text_of(header, kName));
  const bool ustar = std::string_view(header.data() + kMagic.at, kMagic.size) == "ustar";
  // GNU archives use the prefix's place for other things and say so by a blank behind the magic.
  const bool posix = ustar && header[kMagic.at + kMagic.size] == '\0';
  const std::string prefix(posix ? text_of(header, kPrefix) : std::string_view());
  return prefix.empty() ? name : prefix + "/" + name;
}

std::string without_dot(std::string name) {
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

}  // namespace

/// What extended headers say of the member that follows.
struct TarArchive::Extension {
  std::optional<std::string> name;
  std::optional<std::uint64_t> bytes;
  bool sparse = false;
};

void TarArchive::refuse(const std::string& reason) const {
  throw InputError("cannot read " + display_path(path_) + ": at byte " + std::to_string(at_) +
                   ": " + reason);
}

TarArchive::TarArchive(std::string path) : path_(std::move(path)) {
  descriptor_ = FileDescriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (descriptor_.get() < 0 || ::fstat(descriptor_.get(), &status) != 0) {
    throw InputError("cannot read " + display_path(path_) + ": " + system_error_text());
  }
  if (!S_ISREG(status.st_mode)) {
    throw InputError("cannot read " + display_path(path_) + ": it is not a regular file");
  }
  file_bytes_ = static_cast<std::uint64_t>(status.st_size);
  const std::string begin = read_text(0, std::min<std::uint64_t>(file_bytes_, 6));
  if (begin.starts_with("\x1f\x8b") || begin.starts_with("BZh") ||
      begin.starts_with("\xfd"
                        "7zXZ") ||
      begin.starts_with("\x28\xb5\x2f\xfd")) {
    throw InputError("cannot read " + display_path(path_) +
                     ": it is compressed; pictures are read from the archive where they lie, so "
                     "decompress it first");
  }
}

std::string TarArchive::read_text(std::uint64_t offset, std::uint64_t bytes) const {
  std::string text(bytes, '\0');
  const std::string problem =
      read_at(descriptor_.get(), offset,
              std::span(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  if (!problem.empty()) refuse(problem);
  return text;
}

std::string TarArchive::read(const TarMember& member, std::size_t limit) const {
  return read_text(member.offset, std::min<std::uint64_t>(member.bytes, limit));
}

/// Records "LENGTH KEY=VALUE\n", LENGTH counting all of it.
void TarArchive::read_pax(const std::string& text, Extension& extension) const {
  std::string_view rest = text;
  while (!rest.empty() && rest[0] != '\0') {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    const auto digits = static_cast<std::size_t>(end - rest.data());
    if (error != std::errc() || length > rest.size() || length < digits + 3 ||
        rest[digits] != ' ' || rest[length - 1] != '\n') {
      refuse("a pax header cannot be understood");
    }
    const std::string_view record = rest.substr(digits + 1, length - digits - 2);
    rest.remove_prefix(length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) refuse("a pax header cannot be understood");
    const std::string_view key = record.substr(0, equals);
    const std::string_view value = record.substr(equals + 1);
    if (key == "path") extension.name = std::string(value);
    if (key.starts_with("GNU.sparse")) extension.sparse = true;
    if (key == "size") {
      std::uint64_t bytes = 0;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), bytes);
      if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size()) {
        refuse("a pax header gives no size");
      }
      extension.bytes = bytes;
    }
  }
}

void TarArchive::read_extension(char type, std::uint64_t bytes, Extension& extension) const {
  if (type == 'g' || type == 'K') return;  // for all members: no names, no sizes; a link's target
  const std::string text = read_text(at_ + kBlock, bytes);
  if (type == 'x') {
    read_pax(text, extension);
  } else {
    extension.name = text.substr(0, text.find('\0'));
  }
}

std::optional<TarMember> TarArchive::next() {
  Extension extension;
  for (;;) {
    if (at_ == file_bytes_) return std::nullopt;  // without the two empty blocks, as some write it
    if (file_bytes_ - at_ < kBlock) refuse("the archive ends inside a header");
    Header header{};
    const std::string block = read_text(at_, kBlock);
    std::copy(block.begin(), block.end(), header.begin());
    if (is_zero(header)) return std::nullopt;
    if (!checksum_fits(header)) {
      refuse(at_ == 0 ? "it is no tar archive"
                      : "a header's checksum does not fit: the archive is damaged");
    }
    const char type = header[kType];
    const bool extended = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    std::uint64_t bytes = number_of(header, kSize);
    if (!extended && extension.bytes) bytes = *extension.bytes;
    const bool has_data =
        type != '1' && type != '2' && type != '3' && type != '4' && type != '5' && type != '6';
    if (!has_data) bytes = 0;
    const std::uint64_t begin = at_ + kBlock;
    if (extended && bytes > kMaxExtension) {
      refuse("an extended header of " + std::to_string(bytes) + " bytes");
    }
    if (bytes > file_bytes_ - begin) refuse("a member reaches beyond the end of the archive");
    const std::uint64_t padded = (bytes + kBlock - 1) / kBlock * kBlock;
    if (extended) read_extension(type, bytes, extension);
    at_ = std::min(begin + padded, file_bytes_);
    if (extended) continue;
    TarMember member;
    member.name = without_dot(extension.name.value_or(name_of(header)));
    member.offset = begin;
    member.bytes = bytes;
    member.is_file = (type == '0' || type == '\0' || type == '7') && !extension.sparse &&
                     !member.name.ends_with('/');
    return member;
  }
}

}  // namespace casvit::dataio
