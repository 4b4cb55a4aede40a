#include "dataio/container/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <xxhash.h>
#if defined(CASVIT_XXHASH_DISPATCH)
#include <xxh_x86dispatch.h>
#endif

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/hdf5_format/plain_file.h"
#include "dataio/container/schema.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

/// XXH3 in the processor's widest vectors where the library chooses at run time (four times as fast
/// as its default, which matters for stored pixels); the same number in any.
std::uint64_t hash_of(const std::vector<std::uint8_t>& bytes) {
#if defined(CASVIT_XXHASH_DISPATCH)
  return XXH3_64bits_dispatch(bytes.data(), bytes.size());
#else
  return XXH3_64bits(bytes.data(), bytes.size());
#endif
}

constexpr const char* kPackAgain = "; restore it from a copy or pack it again";

/// Opens what must be a regular file: a pipe or a device would block or never end.
FileDescriptor open_regular_file(const std::string& path, std::uint64_t& file_bytes) {
  FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0) {
    throw InputError(system_error_text());
  }
  if (S_ISDIR(status.st_mode)) throw InputError("it is a folder, not an .h5 file");
  if (!S_ISREG(status.st_mode)) throw InputError("it is not a regular file");
  file_bytes = static_cast<std::uint64_t>(status.st_size);
  return descriptor;
}

void check_format(PlainHdf5File& file, ContainerAttributes& attributes) {
  if (!file.has_attribute(schema::kFormatAttribute) ||
      file.string_attribute(schema::kFormatAttribute) != schema::kFormat) {
    throw InputError(std::string("it is HDF5, but not a casvit container (its attribute 'format' "
                                 "should be '") +
                     schema::kFormat + "'); make one with casvit-pack");
  }
  attributes.schema_major = file.number_attribute(schema::kMajorAttribute);
  attributes.schema_minor = file.number_attribute(schema::kMinorAttribute);
  if (attributes.schema_major != schema::kMajor) {
    const bool newer = attributes.schema_major > schema::kMajor;
    throw InputError("its schema is " + std::to_string(attributes.schema_major) + "." +
                     std::to_string(attributes.schema_minor) + ", and this program reads " +
                     std::to_string(schema::kMajor) + ".x; " +
                     (newer ? "use a newer casvit" : "pack it again"));
  }
  if (!file.has_attribute(schema::kCompleteAttribute) ||
      file.number_attribute(schema::kCompleteAttribute) != 1) {
    throw InputError("it is not complete: writing it was interrupted; pack it again");
  }
}

void read_attributes(PlainHdf5File& file, ContainerAttributes& attributes) {
  attributes.split = file.string_attribute(schema::kSplitAttribute);
  attributes.normalization.mean = file.triple_attribute(schema::kMeanAttribute);
  attributes.normalization.std = file.triple_attribute(schema::kStdAttribute);
  attributes.created = file.string_attribute(schema::kCreatedAttribute);
  attributes.tool_version = file.string_attribute(schema::kToolVersionAttribute);
  attributes.command_line = file.string_attribute(schema::kCommandLineAttribute);
  for (std::size_t i = 0; i < 3; ++i) {
    const float mean = attributes.normalization.mean[i];
    const float deviation = attributes.normalization.std[i];
    if (!std::isfinite(mean) || !std::isfinite(deviation) || deviation <= 0) {
      throw InputError("its attributes 'mean' and 'std' are no finite numbers, or std is not > 0");
    }
  }
}

/// Reads the bytes of an array, whose place in the file was checked.
void read_bytes(int descriptor, const PlainArray& array, void* bytes) {
  const std::string problem =
      read_at(descriptor, array.offset,
              {static_cast<std::uint8_t*>(bytes), array.elements * array.element_bytes});
  if (!problem.empty()) throw InputError("it cannot be read: " + problem);
}

template <typename T>
std::vector<T> read_array(PlainHdf5File& file, int descriptor, const char* name) {
  const PlainArray array = file.integers(name, sizeof(T), std::is_signed_v<T>);
  std::vector<T> values(array.elements);
  read_bytes(descriptor, array, values.data());
  return values;
}

std::vector<std::string> read_names(PlainHdf5File& file, int descriptor, const char* name) {
  const PlainArray array = file.strings(name);
  if (array.elements > schema::kMaxClasses) {
    throw InputError("the array " + std::string(name) + " has more than " +
                     std::to_string(schema::kMaxClasses) + " entries");
  }
  std::vector<char> text(array.elements * array.element_bytes);
  read_bytes(descriptor, array, text.data());
  std::vector<std::string> names;
  for (auto begin = text.begin(); begin != text.end();) {
    const auto end = begin + static_cast<std::ptrdiff_t>(array.element_bytes);
    names.emplace_back(begin, std::find(begin, end, '\0'));
    begin = end;
  }
  return names;
}

ContainerIndex read_index(PlainHdf5File& file, int descriptor) {
  ContainerIndex index;
  index.offset = read_array<std::uint64_t>(file, descriptor, schema::kImagesOffset);
  index.length = read_array<std::uint32_t>(file, descriptor, schema::kImagesLength);
  index.xxh3 = read_array<std::uint64_t>(file, descriptor, schema::kImagesXxh3);
  index.height = read_array<std::uint32_t>(file, descriptor, schema::kImagesHeight);
  index.width = read_array<std::uint32_t>(file, descriptor, schema::kImagesWidth);
  index.codec = read_array<std::uint8_t>(file, descriptor, schema::kImagesCodec);
  index.orientation_stored = file.has_array(schema::kImagesOrientation);
  if (index.orientation_stored) {
    index.orientation = read_array<std::uint8_t>(file, descriptor, schema::kImagesOrientation);
  } else {
    index.orientation.assign(index.offset.size(), 1);
  }
  index.label = read_array<std::int32_t>(file, descriptor, schema::kLabelsClass);
  index.class_names = read_names(file, descriptor, schema::kClassesName);
  index.class_counts = read_array<std::uint64_t>(file, descriptor, schema::kClassesCount);
  index.source_bytes = read_array<std::uint8_t>(file, descriptor, schema::kSourcePath);
  index.source_offset = read_array<std::uint64_t>(file, descriptor, schema::kSourceOffset);
  return index;
}

}  // namespace

ContainerReader::ContainerReader(std::string path) : path_(std::move(path)) {
  try {
    open_and_validate();
  } catch (const InputError& error) {
    throw InputError("cannot read " + display_path(path_) + ": " + error.what());
  }
}

void ContainerReader::open_and_validate() {
  descriptor_ = open_regular_file(path_, file_bytes_);
  PlainHdf5File file(descriptor_.get(), file_bytes_);
  check_format(file, attributes_);
  read_attributes(file, attributes_);
  index_ = read_index(file, descriptor_.get());
  const PlainArray blob = file.integers(schema::kImagesBytes, 1, false);
  blob_offset_ = blob.offset;
  check_index(index_, blob.elements);

  const std::string stored = file.string_attribute(schema::kIndexHashAttribute);
  attributes_.index_hash = dataio::index_hash(index_);
  if (stored != hash_text(attributes_.index_hash)) {
    throw InputError("its index was altered: it hashes to " + hash_text(attributes_.index_hash) +
                     ", the attribute 'index_hash' says " + display_path(stored) + kPackAgain);
  }
}

void ContainerReader::read(std::uint64_t sample, std::vector<std::uint8_t>& bytes) const {
  bytes.resize(index_.length.at(sample));
  const std::string problem =
      read_at(descriptor_.get(), blob_offset_ + index_.offset[sample], bytes);
  if (!problem.empty()) throw InputError(describe(sample) + " cannot be read: " + problem);
  const std::uint64_t hash = hash_of(bytes);
  if (hash != index_.xxh3[sample]) {
    throw InputError(describe(sample) + " is damaged: its bytes hash to " + hash_text(hash) +
                     ", and " + hash_text(index_.xxh3[sample]) + " was packed" + kPackAgain);
  }
}

void ContainerReader::announce(std::uint64_t sample) const {
  // Advice: where the file system takes none, reading works as ever.
  static_cast<void>(::posix_fadvise(
      descriptor_.get(), static_cast<off_t>(blob_offset_ + index_.offset.at(sample)),
      static_cast<off_t>(index_.length[sample]), POSIX_FADV_WILLNEED));
}

std::string ContainerReader::describe(std::uint64_t sample) const {
  return display_path(path_) + ": sample " + std::to_string(sample) + " (" +
         display_path(index_.source_path(sample)) + ")";
}

}  // namespace casvit::dataio
