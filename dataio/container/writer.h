#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataio/augment/transform.h"
#include "dataio/container/blob_file.h"
#include "dataio/container/index.h"
#include "dataio/container/pending_file.h"

namespace casvit::dataio {

/// What a new container says about itself.
struct ContainerDescription {
  std::string split = "all";
  Normalization normalization;
  std::string created;  ///< UTC, ISO 8601
  std::string tool_version;
  std::string command_line;
};

/// Writes one container under a temporary name, OUT's folder + `.OUT.part`. Pictures come first in
/// the file, at a place that is known from the start, so they can be written with plain `pwrite`
/// from many threads before anyone knows how many there are and how large; everything else follows
/// when the writer is sealed. The file is HDF5 only from then on, and has its own name only when
/// published.
///
/// The bytes of the file depend on nothing but what is written: not on time, threads or their
/// order.
class ContainerWriter {
 public:
  /// @param begin kContinue takes up a temporary file that an earlier writer kept.
  /// @throws OutputError when the file cannot be made (no folder, no permission).
  explicit ContainerWriter(const std::string& path, BlobFile::Begin begin = BlobFile::Begin::kAnew);

  /// Where pictures go: positions are those of `/images/bytes`.
  const BlobFile& blob() const { return blob_; }

  /// After every picture: writes everything else, the file's first bytes, without which it is no
  /// HDF5 file, last; then makes all of it as durable as asked for.
  /// @param index complete, see IndexBuilder.
  /// @throws UsageError for no samples, no classes, classes that no container can have (see
  ///         class_names_problem); OutputError
  void seal(const ContainerDescription& description, const ContainerIndex& index,
            Durability durability = Durability::kOnDisk);

  /// After seal(): gives the file its name, replacing one that was there. @throws OutputError
  void publish();

  /// The temporary file outlives this writer, for another one to continue.
  void keep() { pending_.keep(); }

  const std::string& path() const { return pending_.path(); }
  std::uint64_t index_hash() const { return index_hash_; }  ///< after seal()
  std::uint64_t file_bytes() const { return file_bytes_; }  ///< after seal()

 private:
  PendingFile pending_;
  BlobFile blob_;
  std::uint64_t index_hash_ = 0;
  std::uint64_t file_bytes_ = 0;
  bool sealed_ = false;
  Durability durability_ = Durability::kOnDisk;
};

/// Byte of the file where `/images/bytes` starts in every container that this program writes.
std::uint64_t container_blob_offset();

}  // namespace casvit::dataio
