#include "dataio/container/hdf5_format/plain_file.h"

#include <optional>
#include <utility>

#include "dataio/container/hdf5_format/group_links.h"
#include "dataio/container/hdf5_format/superblock.h"
#include "dataio/error.h"

namespace casvit::dataio {

using hdf5_format::Attribute;
using hdf5_format::BlockCursor;
using hdf5_format::ElementKind;
using hdf5_format::ElementType;
using hdf5_format::Extent;
using hdf5_format::MessageType;
using hdf5_format::ObjectHeader;

namespace {

/// How an array is stored, in the file.
constexpr std::uint8_t kCompact = 0;
constexpr std::uint8_t kContiguous = 1;
constexpr std::uint8_t kChunked = 2;

const char* storage_name(std::uint8_t kind) {
  return kind == kCompact ? "compact" : kind == kChunked ? "chunked" : "virtual";
}

struct Storage {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

/// The layout message (HDF5 File Format Specification, IV.A.2.i), versions 3 and 4.
Storage read_storage(const ObjectHeader& array) {
  BlockCursor cursor = array.open(MessageType::kLayout, "the layout of " + array.name);
  const std::uint8_t version = cursor.u8();
  if (version != 3 && version != 4) {
    hdf5_format::throw_unsupported(cursor.what() + " has the version " + std::to_string(version));
  }
  const std::uint8_t kind = cursor.u8();
  if (kind != kContiguous) {
    throw InputError("the array " + array.name + " is stored " + storage_name(kind) +
                     "; it must be contiguous");
  }
  Storage storage;
  storage.address = cursor.u64();
  storage.bytes = cursor.u64();
  return storage;
}

void refuse_filters(const ObjectHeader& array) {
  if (!array.has(MessageType::kFilters)) return;
  BlockCursor cursor = array.open(MessageType::kFilters, "the filters of " + array.name);
  cursor.skip(1);  // version
  if (cursor.u8() != 0) throw InputError("the array " + array.name + " is stored through filters");
}

ElementType element_type(const ObjectHeader& array) {
  if (!array.has(MessageType::kLayout)) hdf5_format::throw_damaged(array.name + " is not an array");
  return read_element_type(array.open(MessageType::kDatatype, "the element type of " + array.name));
}

}  // namespace

PlainHdf5File::PlainHdf5File(int descriptor, std::uint64_t file_bytes)
    : blocks_(descriptor, file_bytes) {
  const std::uint64_t root = hdf5_format::read_root_address(blocks_);
  root_ = hdf5_format::read_object_header(blocks_, root, "/");
}

ObjectHeader PlainHdf5File::open(const std::string& path) {
  std::optional<ObjectHeader> deeper;  // the group reached so far; without it the root
  for (std::size_t begin = 1;;) {
    const std::size_t end = path.find('/', begin);
    const std::string part = path.substr(0, end);
    const ObjectHeader& group = deeper ? *deeper : root_;
    const auto link = hdf5_format::find_link(blocks_, group, part.substr(begin));
    if (!link) throw InputError("the array " + path + " is missing");
    if (!link->hard) {
      throw InputError(part + " is a link to elsewhere; a container holds its arrays itself");
    }
    deeper = hdf5_format::read_object_header(blocks_, link->address, part);
    if (end == std::string::npos) return std::move(*deeper);
    begin = end + 1;
  }
}

PlainArray PlainHdf5File::array_of(const ObjectHeader& header, const ElementType& type) {
  const std::string name = "the array " + header.name;
  const Storage storage = read_storage(header);
  if (header.has(MessageType::kExternalFiles)) {
    throw InputError(name + " is stored in an external file");
  }
  refuse_filters(header);
  const Extent extent =
      read_extent(header.open(MessageType::kDataspace, "the size of " + header.name));
  if (extent.dimensions != 1) throw InputError(name + " does not have one dimension");
  if (extent.elements == 0) throw InputError(name + " is empty");
  if (storage.address == hdf5_format::kUndefinedAddress) {
    throw InputError(name + " was never written");
  }
  const std::uint64_t file_bytes = blocks_.file_bytes();
  if (storage.address > file_bytes ||
      extent.elements > (file_bytes - storage.address) / type.bytes) {
    throw InputError(name + " reaches beyond the end of the file");
  }
  if (storage.bytes < extent.elements * type.bytes) {
    hdf5_format::throw_damaged(name + " has less room than elements");
  }
  return {extent.elements, type.bytes, storage.address};
}

bool PlainHdf5File::has_array(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string group = path.substr(0, slash);
  const std::string name = path.substr(slash + 1);
  return hdf5_format::find_link(blocks_, open(group), name).has_value();
}

PlainArray PlainHdf5File::integers(const std::string& path, std::uint64_t element_bytes,
                                   bool is_signed) {
  const ObjectHeader header = open(path);
  const ElementType type = element_type(header);
  if (!type.is_plain_integer(element_bytes, is_signed)) {
    throw InputError("the array " + path + " has the wrong element type");
  }
  return array_of(header, type);
}

PlainArray PlainHdf5File::strings(const std::string& path) {
  const ObjectHeader header = open(path);
  const ElementType type = element_type(header);
  if (type.kind != ElementKind::kString) {
    throw InputError("the array " + path + " does not hold strings of one width");
  }
  return array_of(header, type);
}

Attribute PlainHdf5File::attribute(const std::string& name) const {
  auto found = hdf5_format::find_attribute(root_, name);
  if (!found) throw InputError("the attribute '" + name + "' is missing");
  return *std::move(found);
}

bool PlainHdf5File::has_attribute(const std::string& name) const {
  return hdf5_format::find_attribute(root_, name).has_value();
}

std::string PlainHdf5File::string_attribute(const std::string& name) {
  return hdf5_format::string_value(blocks_, attribute(name));
}

std::uint32_t PlainHdf5File::number_attribute(const std::string& name) {
  return hdf5_format::number_value(attribute(name));
}

std::array<float, 3> PlainHdf5File::triple_attribute(const std::string& name) {
  return hdf5_format::triple_value(attribute(name));
}

Attribute PlainHdf5File::writable_attribute(const std::string& name) {
  if (root_.checksummed) {
    throw InputError(
        "it was written anew by another program, in a newer form of HDF5, whose "
        "attributes casvit-pack does not change; pack it again");
  }
  return attribute(name);
}

}  // namespace casvit::dataio
