#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataio/augment/transform.h"
#include "dataio/container/index.h"
#include "dataio/image/decode.h"

namespace casvit::dataio {

class ContainerReader;

/// When `Dataset::read` compares the hash of a sample with that of what was packed.
enum class HashChecks {
  kAlways,
  kFirstRead,  ///< of each sample through this object; later reads trust what was found sound
};

struct DatasetOptions {
  /// Turns pictures upright by their EXIF orientation, as Pillow's ImageOps.exif_transpose:
  /// `decode` gives upright pictures then. Stored bytes are never touched.
  bool apply_orientation = false;
  /// Whether to take files in which storing a new mean and std was interrupted.
  Unfinished unfinished = Unfinished::kRefuse;
  HashChecks hash_checks = HashChecks::kAlways;
};

/// One or several containers as one sequence of samples. Const methods are thread-safe.
class Dataset {
 public:
  /// Opens and validates every file (`complete`, bounds, index hash, no exotic HDF5 storage).
  /// @param paths files or globs; at least one must match. All must have the same class names.
  /// @throws InputError naming the file and what is wrong with it.
  explicit Dataset(const std::vector<std::string>& paths, DatasetOptions options = {});
  ~Dataset();
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;

  std::uint64_t size() const;
  int num_classes() const;
  const std::vector<std::string>& class_names() const;
  /// Samples of each class, `[num_classes]`.
  const std::vector<std::uint64_t>& class_counts() const;
  /// Class of sample i, in [0, num_classes).
  std::int32_t label(std::uint64_t sample) const;
  /// The labels of all samples, `[size]`: four bytes a sample that are the caller's alone.
  std::vector<std::int32_t> copy_labels() const;
  /// EXIF orientation of sample i as stored, 1 to 8; `decode` applies it only where asked to.
  int orientation(std::uint64_t sample) const;
  /// Where sample i came from, as stored: relative to the packed folder, any bytes.
  std::string source_path(std::uint64_t sample) const;
  /// Mean and std stored in the (first) file.
  const Normalization& normalization() const;
  /// 16 hex digits identifying the content: a hash over the files' index hashes.
  const std::string& content_hash() const;
  const std::vector<std::string>& files() const;

  /// Where a sample's stored bytes lie.
  struct Location {
    std::size_t file = 0;      ///< index into `files()`
    std::uint64_t offset = 0;  ///< in that file
    std::uint32_t length = 0;  ///< bytes
    std::uint64_t sample = 0;  ///< its number in that file
  };
  Location location(std::uint64_t sample) const;

  /// Reads one sample's stored bytes with `pread` and checks their XXH3 hash, as the options say.
  /// @param bytes resized to the sample's length; its capacity is reused.
  /// @throws InputError naming file, sample and source when the bytes are not those packed.
  void read(std::uint64_t sample, std::vector<std::uint8_t>& bytes) const;
  /// Tells the system which samples will be read soon, so that it fetches them meanwhile: a cold
  /// disk or a network file system then streams.
  void announce(std::span<const std::uint64_t> samples) const;
  /// `read` and decode. @throws InputError naming file, sample, source and the decoder's complaint.
  Image decode(std::uint64_t sample, std::vector<std::uint8_t>& scratch) const;

  /// Size of a sample as `decode` gives it, from the index, without reading it.
  int height(std::uint64_t sample) const;
  int width(std::uint64_t sample) const;
  /// The pixels of a rectangle of a sample whose stored bytes `read` gave; only those are decoded
  /// where the codec allows it, and stored pixels (codec 0) are not even copied.
  /// @returns a view of `bytes` or of `scratch`, valid until either changes
  /// @throws InputError naming file, sample, source and the decoder's complaint.
  ImageView decode_region(std::uint64_t sample, const std::vector<std::uint8_t>& bytes,
                          const PixelBox& region, DecodeScratch& scratch) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace casvit::dataio
