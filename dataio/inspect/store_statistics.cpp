#include "dataio/inspect/store_statistics.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <vector>

#include "dataio/container/display.h"
#include "dataio/container/file_descriptor.h"
#include "dataio/container/hdf5_format/plain_file.h"
#include "dataio/container/reader.h"
#include "dataio/container/schema.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

using hdf5_format::Attribute;
using hdf5_format::check_kind;
using hdf5_format::ElementKind;
using hdf5_format::ElementType;

/// A container that is open for changing its statistics.
class StatisticsFile {
 public:
  /// @throws InputError, OutputError
  explicit StatisticsFile(const std::string& path) : path_(path) {
    // Everything but these attributes must be right beforehand, and is looked at as always.
    const ContainerReader reader(path, Unfinished::kAccept);
    descriptor_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (descriptor_.get() < 0) fail(system_error_text());
    try {
      PlainHdf5File file(descriptor_.get(), reader.file_bytes());
      complete_ = place_of(file, schema::kCompleteAttribute, ElementKind::kInteger, 1);
      mean_ = place_of(file, schema::kMeanAttribute, ElementKind::kFloat, 3);
      std_ = place_of(file, schema::kStdAttribute, ElementKind::kFloat, 3);
    } catch (const InputError& error) {
      throw InputError("cannot change " + display_path(path) + ": " + error.what());
    }
  }

  /// Each step is on the disk before the next one begins. @throws OutputError
  void store(const Normalization& normalization) const {
    write_number(complete_, schema::kChangingStatistics);
    sync();
    write_triple(mean_, normalization.mean);
    write_triple(std_, normalization.std);
    sync();
    write_number(complete_, schema::kComplete);
    sync();
  }

 private:
  /// Where an attribute's value lies, and in which type.
  struct Place {
    ElementType type;
    std::uint64_t offset = 0;
  };

  static Place place_of(PlainHdf5File& file, const char* name, ElementKind kind,
                        std::uint64_t elements) {
    const Attribute attribute = file.writable_attribute(name);
    check_kind(attribute, attribute.type.kind == kind, elements);
    return {attribute.type, attribute.file_offset};
  }

  /// A number in the type that the attribute has.
  void write_number(const Place& place, std::uint8_t value) const {
    std::vector<std::uint8_t> bytes(place.type.bytes);
    (place.type.big_endian ? bytes.back() : bytes.front()) = value;
    write(place, bytes);
  }

  void write_triple(const Place& place, const std::array<float, 3>& values) const {
    std::vector<std::uint8_t> bytes;
    for (const float value : values) {
      const bool wide = place.type.bytes == 8;
      const std::uint64_t bits = wide ? std::bit_cast<std::uint64_t>(static_cast<double>(value))
                                      : std::bit_cast<std::uint32_t>(value);
      for (std::uint64_t i = 0; i < place.type.bytes; ++i) {
        const std::uint64_t shift = place.type.big_endian ? place.type.bytes - 1 - i : i;
        bytes.push_back(static_cast<std::uint8_t>(bits >> (8 * shift)));
      }
    }
    write(place, bytes);
  }

  void sync() const {
    if (::fsync(descriptor_.get()) != 0) fail(system_error_text());
  }

  void write(const Place& place, const std::vector<std::uint8_t>& bytes) const {
    const std::string problem = write_at(descriptor_.get(), place.offset, bytes);
    if (!problem.empty()) fail(problem);
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw OutputError("cannot change " + display_path(path_) + ": " + reason);
  }

  std::string path_;
  FileDescriptor descriptor_;
  Place complete_;
  Place mean_;
  Place std_;
};

}  // namespace

void store_statistics(const std::vector<std::string>& paths, const Normalization& normalization) {
  std::vector<StatisticsFile> files;
  files.reserve(paths.size());
  for (const std::string& path : paths) files.emplace_back(path);
  for (const StatisticsFile& file : files) file.store(normalization);
}

}  // namespace casvit::dataio
