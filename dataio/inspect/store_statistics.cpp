#include "dataio/inspect/store_statistics.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstring>
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
using hdf5_format::ElementKind;

class AttributeWriter {
 public:
  explicit AttributeWriter(const std::string& path)
      : path_(path), descriptor_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    if (descriptor_.get() < 0) fail(system_error_text());
  }

  int descriptor() const { return descriptor_.get(); }

  /// A number in the type that the attribute has.
  void write_number(const Attribute& attribute, std::uint8_t value) const {
    std::vector<std::uint8_t> bytes(attribute.type.bytes);
    (attribute.type.big_endian ? bytes.back() : bytes.front()) = value;
    write(attribute, bytes);
  }

  void write_triple(const Attribute& attribute, const std::array<float, 3>& values) const {
    std::vector<std::uint8_t> bytes;
    for (const float value : values) {
      const bool wide = attribute.type.bytes == 8;
      const std::uint64_t bits = wide ? std::bit_cast<std::uint64_t>(static_cast<double>(value))
                                      : std::bit_cast<std::uint32_t>(value);
      for (std::uint64_t i = 0; i < attribute.type.bytes; ++i) {
        const std::uint64_t place = attribute.type.big_endian ? attribute.type.bytes - 1 - i : i;
        bytes.push_back(static_cast<std::uint8_t>(bits >> (8 * place)));
      }
    }
    write(attribute, bytes);
  }

  void sync() const {
    if (::fsync(descriptor_.get()) != 0) fail(system_error_text());
  }

 private:
  void write(const Attribute& attribute, const std::vector<std::uint8_t>& bytes) const {
    const std::string problem = write_at(descriptor_.get(), attribute.file_offset, bytes);
    if (!problem.empty()) fail(problem);
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw OutputError("cannot change " + display_path(path_) + ": " + reason);
  }

  const std::string& path_;
  FileDescriptor descriptor_;
};

void check_kind(const Attribute& attribute, ElementKind kind, std::uint64_t elements) {
  if (attribute.type.kind != kind || attribute.elements != elements) {
    throw InputError(attribute.what + " has the wrong type");
  }
}

}  // namespace

void store_statistics(const std::string& path, const Normalization& normalization) {
  // Everything but these attributes must be right beforehand, and is looked at as always.
  const ContainerReader reader(path, Unfinished::kAccept);
  const AttributeWriter writer(path);
  try {
    PlainHdf5File file(writer.descriptor(), reader.file_bytes());
    const Attribute complete = file.writable_attribute(schema::kCompleteAttribute);
    const Attribute mean = file.writable_attribute(schema::kMeanAttribute);
    const Attribute std = file.writable_attribute(schema::kStdAttribute);
    check_kind(complete, ElementKind::kInteger, 1);
    check_kind(mean, ElementKind::kFloat, 3);
    check_kind(std, ElementKind::kFloat, 3);
    // Each step is on the disk before the next one begins.
    writer.write_number(complete, schema::kChangingStatistics);
    writer.sync();
    writer.write_triple(mean, normalization.mean);
    writer.write_triple(std, normalization.std);
    writer.sync();
    writer.write_number(complete, schema::kComplete);
    writer.sync();
  } catch (const InputError& error) {
    throw InputError("cannot change " + display_path(path) + ": " + error.what());
  }
}

}  // namespace casvit::dataio
