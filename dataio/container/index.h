#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/augment/transform.h"
#include "dataio/container/array_view.h"

namespace casvit::dataio {

/// Whether a reader takes a container in which a change of mean and std was interrupted: only what
/// completes that change does.
enum class Unfinished { kRefuse, kAccept };

/// What a container says about itself as a whole.
struct ContainerAttributes {
  std::uint32_t schema_major = 0;
  std::uint32_t schema_minor = 0;
  std::string split;  ///< "train", "val", ...; "all" where the folder was not split
  Normalization normalization;
  std::string created;  ///< UTC, ISO 8601
  std::string tool_version;
  std::string command_line;
  std::uint64_t index_hash = 0;
};

/// All arrays of a container that is being made, but the pictures themselves; N samples, C classes.
struct ContainerIndex {
  std::vector<std::uint64_t> offset;         ///< `[N]` into `/images/bytes`
  std::vector<std::uint32_t> length;         ///< `[N]` bytes
  std::vector<std::uint64_t> xxh3;           ///< `[N]` of the stored bytes
  std::vector<std::uint32_t> height;         ///< `[N]` pixels
  std::vector<std::uint32_t> width;          ///< `[N]` pixels
  std::vector<std::uint8_t> codec;           ///< `[N]` values of Codec
  std::vector<std::uint8_t> orientation;     ///< `[N]` EXIF, 1 to 8; all 1 in files of schema 1.0
  bool orientation_stored = true;            ///< whether the file has the array (schema 1.1)
  std::vector<std::int32_t> label;           ///< `[N]` in [0, C)
  std::vector<std::string> class_names;      ///< `[C]`
  std::vector<std::uint64_t> class_counts;   ///< `[C]`
  std::vector<std::uint8_t> source_bytes;    ///< all source paths, one after the other
  std::vector<std::uint64_t> source_offset;  ///< `[N + 1]` into source_bytes

  std::uint64_t samples() const { return offset.size(); }
};

/// Bytes of an open file that are read when they are asked for.
struct FileRange {
  int descriptor = -1;       ///< somebody else's
  std::uint64_t offset = 0;  ///< of the first byte in the file
  std::uint64_t bytes = 0;

  std::uint64_t size() const { return bytes; }
};

/// The index of a container that is being read: the same arrays, where they lie in the file. They
/// are mapped, so that all processes of a machine share one copy (42 bytes a sample); class names
/// and counts alone are held in memory, and source paths are read from the file.
struct MappedIndex {
  ArrayView<std::uint64_t> offset;
  ArrayView<std::uint32_t> length;
  ArrayView<std::uint64_t> xxh3;
  ArrayView<std::uint32_t> height;
  ArrayView<std::uint32_t> width;
  ArrayView<std::uint8_t> codec;
  ArrayView<std::uint8_t> orientation;
  bool orientation_stored = true;
  ArrayView<std::int32_t> label;
  std::vector<std::string> class_names;
  std::vector<std::uint64_t> class_counts;
  FileRange source_bytes;
  ArrayView<std::uint64_t> source_offset;

  std::uint64_t samples() const { return offset.size(); }
  /// As stored: any bytes. @throws InputError without the file's name, when it cannot be read.
  std::string source_path(std::uint64_t sample) const;
};

/// A source path longer than this is refused: it is held in memory.
inline constexpr std::uint64_t kMaxSourcePathBytes = 1U << 20U;

/// The hash stored as `index_hash`: XXH3 (64 bits, seed 0) over, for each of offset, length, xxh3,
/// height, width, codec, label, source_offset, source_bytes and class_counts in this order, the
/// number of elements as 8 bytes and then the elements; then the number of class names as 8 bytes
/// and for each its length in bytes as 8 bytes and its bytes; then, where the file has the array,
/// orientation as the other arrays. Everything little-endian.
/// @throws InputError without the file's name, when a mapped index's file cannot be read.
std::uint64_t index_hash(const ContainerIndex& index);
std::uint64_t index_hash(const MappedIndex& index);

/// Checks what would otherwise be trusted while reading: sizes agree, every sample lies within
/// `blob_bytes`, labels and codecs are known ones, counts and paths fit.
/// @throws InputError saying what disagrees, without the file's name.
void check_index(const ContainerIndex& index, std::uint64_t blob_bytes);
void check_index(const MappedIndex& index, std::uint64_t blob_bytes);

}  // namespace casvit::dataio
