#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dataio/container/file_descriptor.h"

namespace casvit::dataio {

/// A member of an archive.
struct TarMember {
  std::string name;          ///< any bytes; leading "./" removed
  std::uint64_t offset = 0;  ///< of its bytes in the archive
  std::uint64_t bytes = 0;
  bool is_file = false;  ///< an ordinary file, whose bytes lie in the archive in one piece
};

/// Walks an uncompressed tar archive: ustar, pax (path, size) and GNU (long names, large sizes), as
/// POSIX.1-2017 "pax" and the GNU tar manual describe them. Only headers are read; nothing is
/// unpacked.
class TarArchive {
 public:
  /// @throws InputError naming the archive: missing, a compressed one, no archive.
  explicit TarArchive(std::string path);

  /// The next member; nothing at the end.
  /// @throws InputError naming the archive and the place: a checksum that does not fit, sizes that
  ///         lead outside, an archive that ends inside a member, extended headers of absurd size.
  std::optional<TarMember> next();

  /// A member's first bytes, at most `limit`. @throws InputError
  std::string read(const TarMember& member, std::size_t limit) const;

 private:
  struct Extension;

  [[noreturn]] void refuse(const std::string& reason) const;
  std::string read_text(std::uint64_t offset, std::uint64_t bytes) const;
  void read_extension(char type, std::uint64_t bytes, Extension& extension) const;
  void read_pax(const std::string& text, Extension& extension) const;

  std::string path_;
  FileDescriptor descriptor_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t at_ = 0;  ///< the next header
};

}  // namespace casvit::dataio
