#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataio/augment/transform.h"
#include "dataio/image/decode.h"

namespace casvit::dataio {

/// What a new container says about itself.
struct ContainerDescription {
  std::string split = "all";
  Normalization normalization;
  std::string created;  ///< UTC, ISO 8601
  std::string tool_version;
  std::string command_line;
  std::vector<std::string> class_names;  ///< UTF-8; a label is an index into this
};

/// One sample to come: everything but its bytes.
struct SampleDescription {
  std::uint32_t length = 0;  ///< bytes, at least 1
  std::uint32_t height = 0;  ///< pixels
  std::uint32_t width = 0;   ///< pixels
  Codec codec = Codec::kJpeg;
  std::uint8_t orientation = 1;  ///< EXIF, 1 to 8
  std::int32_t label = 0;
  std::string source;  ///< path relative to the packed folder, any bytes
};

/// Writes one container. The sizes are known beforehand: the index arrays and the pre-allocated
/// space of the pictures are laid out by the constructor, threads then write disjoint ranges of it
/// with `pwrite`, past the HDF5 library and its lock. The file appears under its name only when
/// `publish` gives it: a writer that goes away before leaves nothing behind.
///
/// The bytes of the file depend on nothing but the arguments: not on time, threads or their order.
class ContainerWriter {
 public:
  /// @throws UsageError for no samples, no classes, a class name that is not UTF-8 or is empty;
  ///         OutputError when the file cannot be made (no folder, no permission, no space).
  ContainerWriter(const std::string& path, const ContainerDescription& description,
                  const std::vector<SampleDescription>& samples);
  ~ContainerWriter();
  ContainerWriter(ContainerWriter&&) noexcept;
  ContainerWriter& operator=(ContainerWriter&&) noexcept;

  /// Writes the bytes of one sample, once each. Thread-safe for different samples.
  /// @param bytes exactly the length announced. @returns their XXH3 hash.
  std::uint64_t write(std::uint64_t sample, std::span<const std::uint8_t> bytes);

  /// After every sample: writes the hashes, makes everything durable (fsync), then marks the file
  /// complete. @throws OutputError
  void seal();

  /// After seal(): gives the file its name, replacing one that was there. @throws OutputError
  void publish();

  const std::string& path() const;
  std::uint64_t index_hash() const;  ///< after seal()
  std::uint64_t file_bytes() const;  ///< after seal()

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace casvit::dataio
