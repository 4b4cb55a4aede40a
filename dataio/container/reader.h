#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/container/file_descriptor.h"
#include "dataio/container/file_mapping.h"
#include "dataio/container/index.h"
#include "dataio/image/decode.h"

namespace casvit::dataio {

/// Whether the hash of what was read is compared with that of what was packed.
enum class HashCheck { kDo, kSkip };

/// One container, opened and validated without the HDF5 library (see PlainHdf5File); samples are
/// read with `pread`. Const methods are thread-safe.
class ContainerReader {
 public:
  /// @throws InputError naming the file: missing, not HDF5, another format, a newer schema, not
  ///         complete, arrays that disagree, offsets or labels out of bounds, an index hash that
  ///         does not fit, or storage that is not plain (external, virtual, chunked, filtered).
  explicit ContainerReader(std::string path, Unfinished unfinished = Unfinished::kRefuse);

  const std::string& path() const { return path_; }
  const ContainerAttributes& attributes() const { return attributes_; }
  const MappedIndex& index() const { return index_; }
  std::uint64_t file_bytes() const { return file_bytes_; }

  /// Where a sample's stored bytes begin in the file.
  std::uint64_t file_offset(std::uint64_t sample) const {
    return blob_offset_ + index_.offset[sample];
  }

  /// Reads the stored bytes of one sample.
  /// @param bytes resized to the sample's length; its capacity is reused.
  /// @throws InputError naming file, sample and source when the bytes are not those packed.
  void read(std::uint64_t sample, std::vector<std::uint8_t>& bytes,
            HashCheck check = HashCheck::kDo) const;

  /// Asks the system to fetch a sample's bytes soon (posix_fadvise), without waiting for them.
  void announce(std::uint64_t sample) const;

  /// `read` and decode. @throws InputError naming file, sample, source and the decoder's complaint.
  Image decode(std::uint64_t sample, std::vector<std::uint8_t>& scratch,
               HashCheck check = HashCheck::kDo) const;

  /// The pixels of a rectangle of a sample whose stored bytes `read` gave, see Dataset.
  ImageView decode_region(std::uint64_t sample, const std::vector<std::uint8_t>& bytes,
                          const PixelBox& region, DecodeScratch& scratch) const;

  /// Class of a sample, in [0, classes).
  std::int32_t label(std::uint64_t sample) const;
  /// As stored: relative to the packed folder, any bytes. @throws InputError naming the file
  std::string source_path(std::uint64_t sample) const;

  /// "FILE: sample 17 (Maize/a.jpg)", the start of every message about a sample.
  std::string describe(std::uint64_t sample) const;

 private:
  void open_and_validate(Unfinished unfinished);
  [[noreturn]] void refuse_altered() const;
  bool is_raw(std::uint64_t sample) const;
  ImageView raw_view(std::uint64_t sample, const std::vector<std::uint8_t>& bytes) const;

  std::string path_;
  ContainerAttributes attributes_;
  FileDescriptor descriptor_;
  FileMapping mapping_;  ///< the arrays of the index
  MappedIndex index_;
  std::uint64_t blob_offset_ = 0;
  std::uint64_t blob_bytes_ = 0;
  std::uint64_t file_bytes_ = 0;
};

}  // namespace casvit::dataio
