#include "dataio/container/dataset.h"

#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/glob_paths.h"
#include "dataio/container/reader.h"
#include "dataio/error.h"
#include "dataio/image/upright.h"

namespace casvit::dataio {

namespace {

/// A bit a sample, set by any thread.
class SampleSet {
 public:
  explicit SampleSet(std::uint64_t samples) : words_((samples + 63) / 64) {}
  bool contains(std::uint64_t sample) const {
    return (words_[sample / 64].load(std::memory_order_relaxed) & bit(sample)) != 0;
  }
  void insert(std::uint64_t sample) {
    words_[sample / 64].fetch_or(bit(sample), std::memory_order_relaxed);
  }

 private:
  static std::uint64_t bit(std::uint64_t sample) { return std::uint64_t{1} << (sample % 64); }
  std::vector<std::atomic<std::uint64_t>> words_;
};

}  // namespace

struct Dataset::State {
  /// The file that holds a sample, and the sample's number there.
  std::pair<const ContainerReader&, std::uint64_t> locate(std::uint64_t sample) const {
    if (sample >= size) {
      throw std::out_of_range("sample " + std::to_string(sample) + " of a data set of " +
                              std::to_string(size));
    }
    const auto after = std::upper_bound(starts.begin(), starts.end(), sample);
    const auto file = static_cast<std::size_t>(after - starts.begin()) - 1;
    return {readers[file], sample - starts[file]};
  }

  /// The orientation to turn a picture by; 1: none.
  int turn(const ContainerReader& reader, std::uint64_t local) const {
    return options.apply_orientation ? reader.index().orientation[local] : 1;
  }

  HashCheck check_of(std::uint64_t sample) const {
    return found_sound && found_sound->contains(sample) ? HashCheck::kSkip : HashCheck::kDo;
  }
  void remember_sound(std::uint64_t sample) {
    if (found_sound) found_sound->insert(sample);
  }

  DatasetOptions options;
  std::vector<ContainerReader> readers;
  std::vector<std::uint64_t> starts;  ///< first sample of each file
  std::vector<std::string> files;
  std::uint64_t size = 0;
  std::vector<std::uint64_t> class_counts;
  std::string content_hash;
  std::optional<SampleSet> found_sound;  ///< where only first reads are checked
};

namespace {

void check_same_classes(const ContainerReader& first, const ContainerReader& other) {
  const auto& expected = first.index().class_names;
  const auto& found = other.index().class_names;
  if (expected == found) return;
  const auto [a, b] = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
  const auto name = [](auto at, auto end) {
    return at == end ? std::string("no class") : "'" + display_path(*at) + "'";
  };
  throw InputError("cannot read " + display_path(other.path()) + ": its classes are not those of " +
                   display_path(first.path()) + ": class " + std::to_string(a - expected.begin()) +
                   " is " + name(b, found.end()) + ", there " + name(a, expected.end()));
}

}  // namespace

Dataset::Dataset(const std::vector<std::string>& paths, DatasetOptions options)
    : state_(std::make_unique<State>()) {
  if (paths.empty()) throw UsageError("a data set needs at least one .h5 file");
  State& state = *state_;
  state.options = options;
  state.files = expand_files(paths);
  std::vector<std::uint64_t> hashes;
  for (const std::string& file : state.files) {
    const ContainerReader& reader = state.readers.emplace_back(file, options.unfinished);
    check_same_classes(state.readers.front(), reader);
    const MappedIndex& index = reader.index();
    state.starts.push_back(state.size);
    state.size += index.samples();
    state.class_counts.resize(index.class_counts.size());
    for (std::size_t c = 0; c < index.class_counts.size(); ++c) {
      state.class_counts[c] += index.class_counts[c];
    }
    hashes.push_back(reader.attributes().index_hash);
  }
  if (options.hash_checks == HashChecks::kFirstRead) state.found_sound.emplace(state.size);
  state.content_hash = hash_text(XXH3_64bits(hashes.data(), hashes.size() * sizeof(std::uint64_t)));
}

Dataset::~Dataset() = default;
Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&&) noexcept = default;

std::uint64_t Dataset::size() const { return state_->size; }

int Dataset::num_classes() const { return static_cast<int>(state_->class_counts.size()); }

const std::vector<std::string>& Dataset::class_names() const {
  return state_->readers.front().index().class_names;
}

const std::vector<std::uint64_t>& Dataset::class_counts() const { return state_->class_counts; }

std::int32_t Dataset::label(std::uint64_t sample) const {
  const auto& [reader, local] = state_->locate(sample);
  return reader.label(local);
}

std::vector<std::int32_t> Dataset::copy_labels() const {
  std::vector<std::int32_t> labels;
  labels.reserve(state_->size);
  for (const ContainerReader& reader : state_->readers) {
    for (std::uint64_t i = 0; i < reader.index().samples(); ++i) labels.push_back(reader.label(i));
  }
  return labels;
}

int Dataset::orientation(std::uint64_t sample) const {
  const auto& [reader, local] = state_->locate(sample);
  return reader.index().orientation[local];
}

std::string Dataset::source_path(std::uint64_t sample) const {
  const auto& [reader, local] = state_->locate(sample);
  return reader.source_path(local);
}

const Normalization& Dataset::normalization() const {
  return state_->readers.front().attributes().normalization;
}

const std::string& Dataset::content_hash() const { return state_->content_hash; }

const std::vector<std::string>& Dataset::files() const { return state_->files; }

Dataset::Location Dataset::location(std::uint64_t sample) const {
  const auto& [reader, local] = state_->locate(sample);
  const auto file = static_cast<std::size_t>(&reader - state_->readers.data());
  return {file, reader.file_offset(local), reader.index().length[local], local};
}

void Dataset::read(std::uint64_t sample, std::vector<std::uint8_t>& bytes) const {
  const auto& [reader, local] = state_->locate(sample);
  const HashCheck check = state_->check_of(sample);
  reader.read(local, bytes, check);
  if (check == HashCheck::kDo) state_->remember_sound(sample);
}

void Dataset::announce(std::span<const std::uint64_t> samples) const {
  for (const std::uint64_t sample : samples) {
    const auto& [reader, local] = state_->locate(sample);
    reader.announce(local);
  }
}

Image Dataset::decode(std::uint64_t sample, std::vector<std::uint8_t>& scratch) const {
  const auto& [reader, local] = state_->locate(sample);
  const HashCheck check = state_->check_of(sample);
  Image stored = reader.decode(local, scratch, check);
  if (check == HashCheck::kDo) state_->remember_sound(sample);
  const int orientation = state_->turn(reader, local);
  return orientation == 1 ? std::move(stored) : upright(stored, orientation);
}

int Dataset::height(std::uint64_t sample) const {
  const auto& [reader, local] = state_->locate(sample);
  const bool stands = is_transposed(state_->turn(reader, local));
  const MappedIndex& index = reader.index();
  return static_cast<int>(stands ? index.width[local] : index.height[local]);
}

int Dataset::width(std::uint64_t sample) const {
  const auto& [reader, local] = state_->locate(sample);
  const bool stands = is_transposed(state_->turn(reader, local));
  const MappedIndex& index = reader.index();
  return static_cast<int>(stands ? index.height[local] : index.width[local]);
}

ImageView Dataset::decode_region(std::uint64_t sample, const std::vector<std::uint8_t>& bytes,
                                 const PixelBox& region, DecodeScratch& scratch) const {
  const auto& [reader, local] = state_->locate(sample);
  const MappedIndex& index = reader.index();
  const int orientation = state_->turn(reader, local);
  const PixelBox box = stored_box(region, static_cast<int>(index.height[local]),
                                  static_cast<int>(index.width[local]), orientation);
  const ImageView part = reader.decode_region(local, bytes, box, scratch);
  if (orientation == 1) return part;
  scratch.turned = upright(part, orientation);
  return scratch.turned;
}

}  // namespace casvit::dataio
