#include "dataio/container/index.h"

#include <algorithm>
#include <bit>
#include <span>
#include <string_view>
#include <unordered_set>

#include "dataio/container/display.h"
#include "dataio/container/file_descriptor.h"
#include "dataio/container/stream_hash.h"
#include "dataio/error.h"
#include "dataio/image/decode.h"

namespace casvit::dataio {
namespace {

static_assert(std::endian::native == std::endian::little,
              "containers are little-endian and their arrays are hashed as they lie in memory");

class IndexHasher {
 public:
  void bytes(const void* data, std::size_t size) { hash_.add(data, size); }
  void number(std::uint64_t value) { bytes(&value, sizeof value); }
  template <typename T>
  void array(const std::vector<T>& values) {
    number(values.size());
    bytes(values.data(), values.size() * sizeof(T));
  }
  template <typename T>
  void array(const ArrayView<T>& values) {
    number(values.size());
    bytes(values.bytes().data(), values.bytes().size());
  }
  void array(const FileRange& range) {
    number(range.size());
    std::vector<std::uint8_t> piece(std::min(range.bytes, kPieceBytes));
    for (std::uint64_t at = 0; at < range.bytes; at += piece.size()) {
      const std::uint64_t size = std::min<std::uint64_t>(piece.size(), range.bytes - at);
      const std::span<std::uint8_t> part(piece.data(), size);
      const std::string problem = read_at(range.descriptor, range.offset + at, part);
      if (!problem.empty()) throw InputError("it cannot be read: " + problem);
      bytes(part.data(), part.size());
    }
  }
  std::uint64_t digest() const { return hash_.digest(); }

 private:
  static constexpr std::uint64_t kPieceBytes = 1U << 20U;

  StreamHash hash_;
};

std::string sample_text(std::uint64_t sample) { return "sample " + std::to_string(sample); }

template <typename Index>
void check_sizes(const Index& index) {
  const std::uint64_t samples = index.offset.size();
  const auto expect = [samples](std::uint64_t size, const char* name) {
    if (size != samples) {
      throw InputError("its arrays disagree: /images/offset has " + std::to_string(samples) +
                       " entries, " + name + " has " + std::to_string(size));
    }
  };
  expect(index.length.size(), "/images/length");
  expect(index.xxh3.size(), "/images/xxh3");
  expect(index.height.size(), "/images/height");
  expect(index.width.size(), "/images/width");
  expect(index.codec.size(), "/images/codec");
  expect(index.orientation.size(), "/images/orientation");
  expect(index.label.size(), "/labels/class");
  if (index.source_offset.size() != samples + 1) {
    throw InputError("its arrays disagree: " + std::to_string(samples) + " samples need " +
                     std::to_string(samples + 1) + " entries in /source/offset, which has " +
                     std::to_string(index.source_offset.size()));
  }
  if (index.class_names.size() != index.class_counts.size()) {
    throw InputError("its arrays disagree: /classes/name has " +
                     std::to_string(index.class_names.size()) + " entries, /classes/count has " +
                     std::to_string(index.class_counts.size()));
  }
}

template <typename Index>
void check_samples(const Index& index, std::uint64_t blob_bytes) {
  for (std::uint64_t i = 0; i < index.samples(); ++i) {
    // Compared without adding, which a hostile offset could make overflow.
    if (index.length[i] > blob_bytes || index.offset[i] > blob_bytes - index.length[i]) {
      throw InputError(sample_text(i) + " lies outside /images/bytes: offset " +
                       std::to_string(index.offset[i]) + ", length " +
                       std::to_string(index.length[i]) + ", but only " +
                       std::to_string(blob_bytes) + " bytes are there");
    }
    if (index.length[i] == 0) throw InputError(sample_text(i) + " is empty");
    if (index.height[i] == 0 || index.width[i] == 0) {
      throw InputError(sample_text(i) + " has no pixels by its height and width");
    }
    // What training reads, so that nobody sizes a buffer by a number that nobody checked.
    if (std::max(index.height[i], index.width[i]) > kLongestSide ||
        static_cast<std::int64_t>(index.height[i]) * index.width[i] > kDefaultMaxPixels) {
      throw InputError(sample_text(i) + " is " + std::to_string(index.width[i]) + " x " +
                       std::to_string(index.height[i]) + " pixels by the index, more than is read");
    }
    if (index.codec[i] > static_cast<std::uint8_t>(Codec::kWebp)) {
      throw InputError(sample_text(i) + " has the unknown codec " + std::to_string(index.codec[i]));
    }
    if (index.orientation[i] < 1 || index.orientation[i] > 8) {
      throw InputError(sample_text(i) + " has the orientation " +
                       std::to_string(index.orientation[i]) + ", outside 1 to 8");
    }
    if (index.codec[i] == static_cast<std::uint8_t>(Codec::kRawRgb) &&
        static_cast<std::uint64_t>(index.height[i]) * index.width[i] * 3 != index.length[i]) {
      throw InputError(sample_text(i) + " is raw RGB, but its length is not height x width x 3");
    }
  }
}

template <typename Index>
void check_classes(const Index& index) {
  const std::uint64_t classes = index.class_names.size();
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : index.class_names) {
    if (name.empty()) throw InputError("a class name is empty");
    if (!seen.insert(name).second) {
      throw InputError("two classes are named '" + display_path(name) + "'");
    }
  }
  std::vector<std::uint64_t> counts(classes, 0);
  for (std::uint64_t i = 0; i < index.samples(); ++i) {
    const std::int32_t label = index.label[i];
    if (label < 0 || static_cast<std::uint64_t>(label) >= classes) {
      throw InputError(sample_text(i) + " has the label " + std::to_string(label) +
                       ", outside the " + std::to_string(classes) + " classes");
    }
    ++counts[static_cast<std::size_t>(label)];
  }
  if (counts != index.class_counts) {
    throw InputError("/classes/count disagrees with the labels in /labels/class");
  }
}

template <typename Index>
void check_sources(const Index& index) {
  if (index.source_offset.front() != 0 || index.source_offset.back() != index.source_bytes.size()) {
    throw InputError("/source/offset does not cover /source/path");
  }
  for (std::uint64_t i = 0; i < index.samples(); ++i) {
    if (index.source_offset[i] > index.source_offset[i + 1]) {
      throw InputError("/source/offset decreases at " + sample_text(i));
    }
    if (index.source_offset[i + 1] - index.source_offset[i] > kMaxSourcePathBytes) {
      throw InputError("the source path of " + sample_text(i) + " is impossibly long");
    }
  }
}

template <typename Index>
std::uint64_t hash_of(const Index& index) {
  IndexHasher hasher;
  hasher.array(index.offset);
  hasher.array(index.length);
  hasher.array(index.xxh3);
  hasher.array(index.height);
  hasher.array(index.width);
  hasher.array(index.codec);
  hasher.array(index.label);
  hasher.array(index.source_offset);
  hasher.array(index.source_bytes);
  hasher.array(index.class_counts);
  hasher.number(index.class_names.size());
  for (const std::string& name : index.class_names) {
    hasher.number(name.size());
    hasher.bytes(name.data(), name.size());
  }
  if (index.orientation_stored) hasher.array(index.orientation);
  return hasher.digest();
}

template <typename Index>
void check(const Index& index, std::uint64_t blob_bytes) {
  check_sizes(index);
  if (index.samples() == 0) throw InputError("it holds no samples");
  check_samples(index, blob_bytes);
  check_classes(index);
  check_sources(index);
}

}  // namespace

std::string MappedIndex::source_path(std::uint64_t sample) const {
  const std::uint64_t begin = source_offset[sample];
  const std::uint64_t end = source_offset[sample + 1];
  // Checked when the file was opened, and again: another program may have written to it since.
  if (begin > end || end > source_bytes.bytes || end - begin > kMaxSourcePathBytes) {
    throw InputError("its index was altered while it was in use");
  }
  std::string path(end - begin, '\0');
  const std::string problem = read_at(source_bytes.descriptor, source_bytes.offset + begin,
                                      {reinterpret_cast<std::uint8_t*>(path.data()), path.size()});
  if (!problem.empty()) throw InputError("a source path cannot be read: " + problem);
  return path;
}

std::uint64_t index_hash(const ContainerIndex& index) { return hash_of(index); }
std::uint64_t index_hash(const MappedIndex& index) { return hash_of(index); }

void check_index(const ContainerIndex& index, std::uint64_t blob_bytes) {
  check(index, blob_bytes);
}
void check_index(const MappedIndex& index, std::uint64_t blob_bytes) { check(index, blob_bytes); }

}  // namespace casvit::dataio
