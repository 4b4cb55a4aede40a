#pragma once

#include <cstdint>

/// Names and numbers of the container format, readable with h5py:
///
///     /images/bytes   uint8 [B]     contiguous, no filters; samples start at multiples of 64 bytes
///     /images/offset  uint64 [N]    first byte of a sample in /images/bytes
///     /images/length  uint32 [N]    bytes of a sample
///     /images/xxh3    uint64 [N]    XXH3 (64 bits, seed 0) of the stored bytes
///     /images/height, /images/width uint32 [N], /images/codec uint8 [N] (see dataio::Codec)
///     /images/orientation uint8 [N] EXIF orientation, 1 to 8, not applied to the stored picture;
///     since
///                                   schema 1.1: files without it are all 1
///     /labels/class   int32 [N]     index into /classes/name
///     /classes/name   UTF-8 [C]     null-padded, /classes/count uint64 [C]
///     /source/path    uint8 bytes   path of sample i: [offset[i], offset[i + 1]), any bytes
///     /source/offset  uint64 [N+1]
///
/// Attributes of the root group: `format`, `schema_major`, `schema_minor`, `complete` (written
/// last), `split`, `mean`, `std`, `created`, `tool_version`, `command_line`, `index_hash`.
/// Everything is little-endian. A reader takes any file of its own major version: minor versions
/// only add.
namespace casvit::dataio::schema {

inline constexpr const char* kFormat = "casvit-hdf5";
inline constexpr std::uint32_t kMajor = 1;
inline constexpr std::uint32_t kMinor = 1;

/// Samples start at multiples of this, in the array and in the file.
inline constexpr std::uint64_t kAlignment = 64;

/// More classes, and longer names, than these are refused: the names are held in memory. Names take
/// as many bytes each as the longest of them.
inline constexpr std::uint64_t kMaxClasses = 1'000'000;
inline constexpr std::uint64_t kMaxClassNameBytes = 4096;
inline constexpr std::uint64_t kMaxClassNamesBytes = std::uint64_t{1} << 28U;

inline constexpr const char* kImagesBytes = "/images/bytes";
inline constexpr const char* kImagesOffset = "/images/offset";
inline constexpr const char* kImagesLength = "/images/length";
inline constexpr const char* kImagesXxh3 = "/images/xxh3";
inline constexpr const char* kImagesHeight = "/images/height";
inline constexpr const char* kImagesWidth = "/images/width";
inline constexpr const char* kImagesCodec = "/images/codec";
inline constexpr const char* kImagesOrientation = "/images/orientation";
inline constexpr const char* kLabelsClass = "/labels/class";
inline constexpr const char* kClassesName = "/classes/name";
inline constexpr const char* kClassesCount = "/classes/count";
inline constexpr const char* kSourcePath = "/source/path";
inline constexpr const char* kSourceOffset = "/source/offset";

inline constexpr const char* kFormatAttribute = "format";
inline constexpr const char* kMajorAttribute = "schema_major";
inline constexpr const char* kMinorAttribute = "schema_minor";
inline constexpr const char* kCompleteAttribute = "complete";
/// Values of `complete`. The second stands while `casvit-pack stats --write` changes mean and std.
inline constexpr std::uint32_t kComplete = 1;
inline constexpr std::uint32_t kChangingStatistics = 2;

inline constexpr const char* kSplitAttribute = "split";
inline constexpr const char* kMeanAttribute = "mean";
inline constexpr const char* kStdAttribute = "std";
inline constexpr const char* kCreatedAttribute = "created";
inline constexpr const char* kToolVersionAttribute = "tool_version";
inline constexpr const char* kCommandLineAttribute = "command_line";
inline constexpr const char* kIndexHashAttribute = "index_hash";

}  // namespace casvit::dataio::schema
