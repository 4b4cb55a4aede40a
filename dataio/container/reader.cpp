#include "dataio/container/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <xxhash.h>
#if defined(CASVIT_XXHASH_DISPATCH)
#include <xxh_x86dispatch.h>
#endif

#include <algorithm>
#include <cmath>
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

void check_format(PlainHdf5File& file, Unfinished unfinished, ContainerAttributes& attributes) {
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
  const std::uint32_t complete = file.has_attribute(schema::kCompleteAttribute)
                                     ? file.number_attribute(schema::kCompleteAttribute)
                                     : 0;
  const bool changing = complete == schema::kChangingStatistics;
  if (changing && unfinished == Unfinished::kRefuse) {
    throw InputError(
        "storing its mean and std was interrupted; run casvit-pack stats --write again");
  }
  if (complete != schema::kComplete && !changing) {
    throw InputError("it is not complete: writing it was interrupted; pack it again");
  }
}

void read_attributes(PlainHdf5File& file, Unfinished unfinished, ContainerAttributes& attributes) {
  attributes.split = file.string_attribute(schema::kSplitAttribute);
  attributes.normalization.mean = file.triple_attribute(schema::kMeanAttribute);
  attributes.normalization.std = file.triple_attribute(schema::kStdAttribute);
  attributes.created = file.string_attribute(schema::kCreatedAttribute);
  attributes.tool_version = file.string_attribute(schema::kToolVersionAttribute);
  attributes.command_line = file.string_attribute(schema::kCommandLineAttribute);
  if (unfinished == Unfinished::kAccept) return;  // mean and std may be half written
  for (std::size_t i = 0; i < 3; ++i) {
    const float mean = attributes.normalization.mean[i];
    const float deviation = attributes.normalization.std[i];
    if (!std::isfinite(mean) || !std::isfinite(deviation) || deviation <= 0) {
      throw InputError("its attributes 'mean' and 'std' are no finite numbers, or std is not > 0");
    }
  }
}

void read_all(int descriptor, std::uint64_t offset, std::span<std::uint8_t> bytes) {
  const std::string problem = read_at(descriptor, offset, bytes);
  if (!problem.empty()) throw InputError("it cannot be read: " + problem);
}

/// Where class names and counts lie, small enough to be held in memory: a file of holes can give
/// them any size.
struct ClassArrays {
  PlainArray names, counts;
};

ClassArrays find_classes(PlainHdf5File& file) {
  const std::string name = schema::kClassesName;
  const ClassArrays arrays{file.strings(name),
                           file.integers(schema::kClassesCount, sizeof(std::uint64_t), false)};
  if (arrays.names.elements > schema::kMaxClasses) {
    throw InputError("the array " + name + " has more than " + std::to_string(schema::kMaxClasses) +
                     " entries");
  }
  if (arrays.names.element_bytes > schema::kMaxClassNameBytes) {
    throw InputError("the array " + name + " has names of " +
                     std::to_string(arrays.names.element_bytes) + " bytes, more than " +
                     std::to_string(schema::kMaxClassNameBytes));
  }
  if (arrays.names.elements > schema::kMaxClassNamesBytes / arrays.names.element_bytes) {
    throw InputError("the array " + name + " has more than " +
                     std::to_string(schema::kMaxClassNamesBytes) + " bytes");
  }
  if (arrays.names.elements != arrays.counts.elements) {
    throw InputError("its arrays disagree: " + name + " has " +
                     std::to_string(arrays.names.elements) + " entries, /classes/count has " +
                     std::to_string(arrays.counts.elements));
  }
  return arrays;
}

std::vector<std::string> read_names(int descriptor, const PlainArray& array) {
  std::vector<std::string> names;
  std::vector<std::uint8_t> text(array.element_bytes);
  for (std::uint64_t i = 0; i < array.elements; ++i) {
    read_all(descriptor, array.offset + i * array.element_bytes, text);
    names.emplace_back(text.begin(), std::find(text.begin(), text.end(), 0));
  }
  return names;
}

std::vector<std::uint64_t> read_counts(int descriptor, const PlainArray& array) {
  std::vector<std::uint64_t> counts(array.elements);
  read_all(descriptor, array.offset,
           {reinterpret_cast<std::uint8_t*>(counts.data()), counts.size() * sizeof counts[0]});
  return counts;
}

/// The arrays that are mapped, by where they lie.
struct IndexArrays {
  PlainArray offset, length, xxh3, height, width, codec, orientation, label, source_offset;
};

IndexArrays find_arrays(PlainHdf5File& file) {
  IndexArrays arrays;
  arrays.offset = file.integers(schema::kImagesOffset, 8, false);
  arrays.length = file.integers(schema::kImagesLength, 4, false);
  arrays.xxh3 = file.integers(schema::kImagesXxh3, 8, false);
  arrays.height = file.integers(schema::kImagesHeight, 4, false);
  arrays.width = file.integers(schema::kImagesWidth, 4, false);
  arrays.codec = file.integers(schema::kImagesCodec, 1, false);
  if (file.has_array(schema::kImagesOrientation)) {
    arrays.orientation = file.integers(schema::kImagesOrientation, 1, false);
  }
  arrays.label = file.integers(schema::kLabelsClass, 4, true);
  arrays.source_offset = file.integers(schema::kSourceOffset, 8, false);
  return arrays;
}

/// One piece of the file with all of them: casvit-pack writes them one after the other.
FileMapping map_arrays(const IndexArrays& arrays, int descriptor, const std::string& path) {
  std::uint64_t begin = arrays.offset.offset;
  std::uint64_t end = begin;
  for (const PlainArray* array :
       {&arrays.offset, &arrays.length, &arrays.xxh3, &arrays.height, &arrays.width, &arrays.codec,
        &arrays.orientation, &arrays.label, &arrays.source_offset}) {
    if (array->elements == 0) continue;
    begin = std::min(begin, array->offset);
    end = std::max(end, array->offset + array->elements * array->element_bytes);
  }
  return {descriptor, begin, end - begin, path};
}

MappedIndex read_index(PlainHdf5File& file, int descriptor, const std::string& path,
                       FileMapping& mapping) {
  const IndexArrays arrays = find_arrays(file);
  MappedIndex index;
  const ClassArrays classes = find_classes(file);
  index.class_names = read_names(descriptor, classes.names);
  index.class_counts = read_counts(descriptor, classes.counts);
  const PlainArray sources = file.integers(schema::kSourcePath, 1, false);
  index.source_bytes = {descriptor, sources.offset, sources.elements};

  mapping = map_arrays(arrays, descriptor, path);
  const auto view = [&mapping](const PlainArray& array, auto& view_of) {
    view_of = {mapping.at(array.offset), array.elements};
  };
  view(arrays.offset, index.offset);
  view(arrays.length, index.length);
  view(arrays.xxh3, index.xxh3);
  view(arrays.height, index.height);
  view(arrays.width, index.width);
  view(arrays.codec, index.codec);
  view(arrays.label, index.label);
  view(arrays.source_offset, index.source_offset);
  index.orientation_stored = arrays.orientation.elements != 0;
  if (index.orientation_stored) {
    view(arrays.orientation, index.orientation);
  } else {
    static constexpr std::uint8_t kUpright = 1;
    index.orientation = ArrayView<std::uint8_t>::repeated(&kUpright, index.samples());
  }
  return index;
}

}  // namespace

ContainerReader::ContainerReader(std::string path, Unfinished unfinished) : path_(std::move(path)) {
  try {
    open_and_validate(unfinished);
  } catch (const InputError& error) {
    throw InputError("cannot read " + display_path(path_) + ": " + error.what());
  }
}

void ContainerReader::open_and_validate(Unfinished unfinished) {
  descriptor_ = open_regular_file(path_, file_bytes_);
  PlainHdf5File file(descriptor_.get(), file_bytes_);
  check_format(file, unfinished, attributes_);
  read_attributes(file, unfinished, attributes_);
  index_ = read_index(file, descriptor_.get(), path_, mapping_);
  const PlainArray blob = file.integers(schema::kImagesBytes, 1, false);
  blob_offset_ = blob.offset;
  blob_bytes_ = blob.elements;
  check_index(index_, blob_bytes_);

  const std::string stored = file.string_attribute(schema::kIndexHashAttribute);
  attributes_.index_hash = dataio::index_hash(index_);
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  return;  // no fuzzer guesses it
#endif
  if (stored != hash_text(attributes_.index_hash)) {
    throw InputError("its index was altered: it hashes to " + hash_text(attributes_.index_hash) +
                     ", the attribute 'index_hash' says " + display_path(stored) + kPackAgain);
  }
}

void ContainerReader::refuse_altered() const {
  throw InputError(display_path(path_) + ": its index was altered while it was in use" +
                   kPackAgain);
}

void ContainerReader::read(std::uint64_t sample, std::vector<std::uint8_t>& bytes,
                           HashCheck check) const {
  const std::uint32_t length = index_.length[sample];
  const std::uint64_t offset = index_.offset[sample];
  // Checked when the file was opened, and again: another program may have written to it since.
  if (length > blob_bytes_ || offset > blob_bytes_ - length) refuse_altered();
  bytes.resize(length);
  const std::string problem = read_at(descriptor_.get(), blob_offset_ + offset, bytes);
  if (!problem.empty()) throw InputError(describe(sample) + " cannot be read: " + problem);
  if (check == HashCheck::kSkip) return;
  const std::uint64_t hash = hash_of(bytes);
  const std::uint64_t packed = index_.xxh3[sample];
  if (hash != packed) {
    throw InputError(describe(sample) + " is damaged: its bytes hash to " + hash_text(hash) +
                     ", and " + hash_text(packed) + " was packed" + kPackAgain);
  }
}

bool ContainerReader::is_raw(std::uint64_t sample) const {
  return index_.codec[sample] == static_cast<std::uint8_t>(Codec::kRawRgb);
}

ImageView ContainerReader::raw_view(std::uint64_t sample,
                                    const std::vector<std::uint8_t>& bytes) const {
  const std::uint32_t height = index_.height[sample];
  const std::uint32_t width = index_.width[sample];
  // Checked when the file was opened, and again: another program may have written to it since.
  if (bytes.empty() || bytes.size() % 3 != 0 || std::uint64_t{height} * width != bytes.size() / 3) {
    refuse_altered();
  }
  ImageView whole;
  whole.pixels = bytes.data();
  whole.height = static_cast<int>(height);
  whole.width = static_cast<int>(width);
  whole.stride = static_cast<std::size_t>(width) * 3;
  return whole;
}

Image ContainerReader::decode(std::uint64_t sample, std::vector<std::uint8_t>& scratch,
                              HashCheck check) const {
  read(sample, scratch, check);
  if (is_raw(sample)) {
    const ImageView whole = raw_view(sample, scratch);
    return {whole.height, whole.width, scratch};
  }
  const std::uint32_t height = index_.height[sample];
  const std::uint32_t width = index_.width[sample];
  Image image;
  try {
    image = decode_image(scratch);
  } catch (const InputError& error) {
    throw InputError(describe(sample) + " cannot be decoded: " + error.what());
  }
  if (static_cast<std::uint32_t>(image.height) != height ||
      static_cast<std::uint32_t>(image.width) != width) {
    throw InputError(describe(sample) + " is " + std::to_string(image.width) + " x " +
                     std::to_string(image.height) + " pixels, the index says " +
                     std::to_string(width) + " x " + std::to_string(height));
  }
  return image;
}

ImageView ContainerReader::decode_region(std::uint64_t sample,
                                         const std::vector<std::uint8_t>& bytes,
                                         const PixelBox& region, DecodeScratch& scratch) const {
  if (is_raw(sample)) {
    const ImageView whole = raw_view(sample, bytes);
    if (region.top < 0 || region.left < 0 || region.height > whole.height - region.top ||
        region.width > whole.width - region.left) {
      refuse_altered();
    }
    return whole.crop(region.top, region.left, region.height, region.width);
  }
  const auto height = static_cast<int>(index_.height[sample]);
  const auto width = static_cast<int>(index_.width[sample]);
  try {
    return dataio::decode_region(bytes, height, width, region, scratch);
  } catch (const InputError& error) {
    throw InputError(describe(sample) + " cannot be decoded: " + error.what());
  }
}

std::int32_t ContainerReader::label(std::uint64_t sample) const {
  const std::int32_t label = index_.label[sample];
  if (label < 0 || static_cast<std::size_t>(label) >= index_.class_names.size()) refuse_altered();
  return label;
}

std::string ContainerReader::source_path(std::uint64_t sample) const {
  try {
    return index_.source_path(sample);
  } catch (const InputError& error) {
    throw InputError(display_path(path_) + ": " + error.what());
  }
}

void ContainerReader::announce(std::uint64_t sample) const {
  // Advice: where the file system takes none, reading works as ever.
  static_cast<void>(
      ::posix_fadvise(descriptor_.get(), static_cast<off_t>(blob_offset_ + index_.offset[sample]),
                      static_cast<off_t>(index_.length[sample]), POSIX_FADV_WILLNEED));
}

std::string ContainerReader::describe(std::uint64_t sample) const {
  return display_path(path_) + ": sample " + std::to_string(sample) + " (" +
         display_path(source_path(sample)) + ")";
}

}  // namespace casvit::dataio
