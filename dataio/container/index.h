#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/augment/transform.h"

namespace casvit::dataio {

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

/// All arrays of a container but the pictures themselves; N samples, C classes.
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
  std::string source_path(std::uint64_t sample) const;
};

/// The hash stored as `index_hash`: XXH3 (64 bits, seed 0) over, for each of offset, length, xxh3,
/// height, width, codec, label, source_offset, source_bytes and class_counts in this order, the
/// number of elements as 8 bytes and then the elements; then the number of class names as 8 bytes
/// and for each its length in bytes as 8 bytes and its bytes; then, where the file has the array,
/// orientation as the other arrays. Everything little-endian.
std::uint64_t index_hash(const ContainerIndex& index);

/// Checks what would otherwise be trusted while reading: sizes agree, every sample lies within
/// `blob_bytes`, labels and codecs are known ones, counts and paths fit.
/// @throws InputError saying what disagrees, without the file's name.
void check_index(const ContainerIndex& index, std::uint64_t blob_bytes);

}  // namespace casvit::dataio
