#include "dataio/inspect/duplicates.h"

#include <xxhash.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <numeric>
#include <tuple>
#include <utility>

#include "dataio/error.h"
#include "dataio/inspect/perceptual_hash.h"
#include "dataio/pack/parallel_for.h"

namespace casvit::dataio {
namespace {

/// All samples of all files, numbered through.
class AllSamples {
 public:
  explicit AllSamples(const std::vector<const ContainerReader*>& files) : files_(files) {
    for (const ContainerReader* file : files) {
      starts_.push_back(count_);
      count_ += file->index().samples();
    }
  }

  std::uint64_t count() const { return count_; }
  SampleId id(std::uint64_t number) const {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), number);
    const auto file = static_cast<std::size_t>(after - starts_.begin()) - 1;
    return {file, number - starts_[file]};
  }
  const ContainerReader& file(const SampleId& id) const { return *files_[id.file]; }

 private:
  const std::vector<const ContainerReader*>& files_;
  std::vector<std::uint64_t> starts_;
  std::uint64_t count_ = 0;
};

/// What could not be compared, and why, by number. Thread-safe.
class Undecodable {
 public:
  void add(std::uint64_t number, const std::string& message) {
    const std::lock_guard lock(mutex_);
    messages_.emplace(number, message);
  }
  bool has(std::uint64_t number) const { return messages_.contains(number); }

  std::vector<DamagedSample> samples(const AllSamples& all) const {
    std::vector<DamagedSample> samples;
    for (const auto& [number, message] : messages_) {
      const SampleId id = all.id(number);
      const ContainerReader& file = all.file(id);
      samples.push_back({file.path(), id.sample, file.source_path(id.sample), message});
    }
    return samples;
  }

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, std::string> messages_;
};

DuplicateGroup group_of(const AllSamples& all, Likeness likeness,
                        std::vector<std::uint64_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  DuplicateGroup group{likeness, {}};
  for (const std::uint64_t number : numbers) group.members.push_back(all.id(number));
  return group;
}

/// Calls `use(begin, end)` for every run of two or more equal keys in `items`, which are sorted.
template <typename Item, typename Key, typename Use>
void for_each_run(const std::vector<Item>& items, const Key& key, const Use& use) {
  for (auto begin = items.begin(); begin != items.end();) {
    const auto end = std::find_if(begin, items.end(),
                                  [&](const Item& item) { return key(item) != key(*begin); });
    if (end - begin > 1) use(begin, end);
    begin = end;
  }
}

struct Stored {
  std::uint64_t hash;
  std::uint32_t length;
  std::uint64_t number;

  auto key() const { return std::make_pair(hash, length); }
};

/// Samples of the same bytes, and these bytes.
struct SameBytes {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint64_t> numbers;
};

/// Splits samples of one hash and length by their bytes, which is where the hash proves right:
/// nearly always there is one part.
std::vector<SameBytes> split_by_bytes(const AllSamples& all,
                                      const std::vector<std::uint64_t>& numbers,
                                      Undecodable& undecodable) {
  std::vector<SameBytes> parts;
  std::vector<std::uint8_t> bytes;
  for (const std::uint64_t number : numbers) {
    const SampleId id = all.id(number);
    try {
      all.file(id).read(id.sample, bytes);
    } catch (const InputError& error) {
      undecodable.add(number, error.what());
      continue;
    }
    auto part = std::find_if(parts.begin(), parts.end(),
                             [&bytes](const SameBytes& same) { return same.bytes == bytes; });
    if (part == parts.end()) part = parts.insert(parts.end(), {bytes, {}});
    part->numbers.push_back(number);
  }
  return parts;
}

/// Adds groups of equal bytes. @returns the samples that are no copy of an earlier one.
std::vector<std::uint64_t> find_equal_bytes(const AllSamples& all,
                                            const DuplicateProgress& progress,
                                            std::vector<DuplicateGroup>& groups,
                                            Undecodable& undecodable) {
  std::vector<Stored> stored;
  stored.reserve(all.count());
  for (std::uint64_t number = 0; number < all.count(); ++number) {
    const SampleId id = all.id(number);
    const MappedIndex& index = all.file(id).index();
    stored.push_back({index.xxh3[id.sample], index.length[id.sample], number});
  }
  std::sort(stored.begin(), stored.end(), [](const Stored& a, const Stored& b) {
    return std::make_pair(a.key(), a.number) < std::make_pair(b.key(), b.number);
  });
  std::vector<bool> copy(all.count(), false);
  for_each_run(
      stored, [](const Stored& item) { return item.key(); },
      [&](auto begin, auto end) {
        progress("comparing bytes", static_cast<std::uint64_t>(begin - stored.begin()),
                 stored.size());
        std::vector<std::uint64_t> numbers;
        for (auto item = begin; item != end; ++item) numbers.push_back(item->number);
        for (const SameBytes& part : split_by_bytes(all, numbers, undecodable)) {
          if (part.numbers.size() < 2) continue;
          for (std::size_t i = 1; i < part.numbers.size(); ++i) copy[part.numbers[i]] = true;
          groups.push_back(group_of(all, Likeness::kBytes, part.numbers));
        }
      });
  std::vector<std::uint64_t> firsts;
  for (std::uint64_t number = 0; number < all.count(); ++number) {
    if (!copy[number] && !undecodable.has(number)) firsts.push_back(number);
  }
  return firsts;
}

struct Decoded {
  XXH128_hash_t pixels{};
  std::uint64_t perceptual = 0;
  std::uint64_t number = 0;

  auto key() const { return std::make_pair(pixels.high64, pixels.low64); }
};

XXH128_hash_t hash_of_pixels(const Image& image) {
  // The width is part of it: 2 x 3 pixels and 3 x 2 may be the same bytes.
  return XXH3_128bits_withSeed(image.pixels.data(), image.pixels.size(),
                               static_cast<XXH64_hash_t>(image.width));
}

std::vector<Decoded> decode_all(const AllSamples& all, const std::vector<std::uint64_t>& numbers,
                                const DuplicateSearch& search, const DuplicateProgress& progress,
                                Undecodable& undecodable) {
  std::vector<Decoded> decoded(numbers.size());
  const auto decode = [&](std::uint64_t i) {
    thread_local std::vector<std::uint8_t> bytes;
    const SampleId id = all.id(numbers[i]);
    decoded[i].number = numbers[i];
    try {
      const Image image = all.file(id).decode(id.sample, bytes);
      decoded[i].pixels = hash_of_pixels(image);
      if (search.near) decoded[i].perceptual = difference_hash(image);
    } catch (const InputError& error) {
      undecodable.add(numbers[i], error.what());
    }
  };
  parallel_for(numbers.size(), search.workers, decode,
               [&](std::uint64_t done) { progress("decoding", done, numbers.size()); });
  std::erase_if(decoded, [&](const Decoded& item) { return undecodable.has(item.number); });
  return decoded;
}

/// Adds groups of equal pixels. @returns those that do not equal an earlier one.
std::vector<Decoded> find_equal_pixels(const AllSamples& all, std::vector<Decoded> decoded,
                                       std::vector<DuplicateGroup>& groups) {
  std::sort(decoded.begin(), decoded.end(), [](const Decoded& a, const Decoded& b) {
    return std::make_pair(a.key(), a.number) < std::make_pair(b.key(), b.number);
  });
  for_each_run(
      decoded, [](const Decoded& item) { return item.key(); },
      [&](auto begin, auto end) {
        std::vector<std::uint64_t> numbers;
        for (auto item = begin; item != end; ++item) numbers.push_back(item->number);
        groups.push_back(group_of(all, Likeness::kPixels, std::move(numbers)));
      });
  const auto last =
      std::unique(decoded.begin(), decoded.end(),
                  [](const Decoded& a, const Decoded& b) { return a.key() == b.key(); });
  decoded.erase(last, decoded.end());
  return decoded;
}

/// Sets of numbers that were joined, directly or through others.
class JoinedSets {
 public:
  explicit JoinedSets(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) {
    const std::size_t root_a = root(a);
    const std::size_t root_b = root(b);
    parent_[std::max(root_a, root_b)] = std::min(root_a, root_b);
  }

 private:
  std::vector<std::size_t> parent_;
};

void find_near(const AllSamples& all, std::vector<Decoded> decoded, int distance,
               std::vector<DuplicateGroup>& groups) {
  // A hash of 0 is that of a picture without structure, like any other such picture.
  std::erase_if(decoded, [](const Decoded& item) { return item.perceptual == 0; });
  std::sort(decoded.begin(), decoded.end(), [](const Decoded& a, const Decoded& b) {
    return std::tie(a.perceptual, a.number) < std::tie(b.perceptual, b.number);
  });
  std::vector<std::uint64_t> hashes;
  std::vector<std::size_t> hash_of(decoded.size());
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    if (hashes.empty() || hashes.back() != decoded[i].perceptual) {
      hashes.push_back(decoded[i].perceptual);
    }
    hash_of[i] = hashes.size() - 1;
  }
  JoinedSets sets(hashes.size());
  match_near_hashes(hashes, distance, [&](std::size_t a, std::size_t b) { sets.join(a, b); });
  std::map<std::size_t, std::vector<std::uint64_t>> members;
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    members[sets.root(hash_of[i])].push_back(decoded[i].number);
  }
  for (auto& [root, numbers] : members) {
    if (numbers.size() > 1) groups.push_back(group_of(all, Likeness::kNear, std::move(numbers)));
  }
}

}  // namespace

Duplicates find_duplicates(const std::vector<const ContainerReader*>& files,
                           const DuplicateSearch& search, const DuplicateProgress& progress) {
  const AllSamples all(files);
  Undecodable undecodable;
  std::vector<DuplicateGroup> groups;
  const std::vector<std::uint64_t> firsts = find_equal_bytes(all, progress, groups, undecodable);
  if (search.pixels) {
    std::vector<Decoded> decoded = decode_all(all, firsts, search, progress, undecodable);
    decoded = find_equal_pixels(all, std::move(decoded), groups);
    if (search.near) find_near(all, std::move(decoded), search.near_distance, groups);
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const DuplicateGroup& a, const DuplicateGroup& b) {
                     const auto place = [](const DuplicateGroup& group) {
                       const SampleId& first = group.members.front();
                       return std::make_tuple(group.likeness, first.file, first.sample);
                     };
                     return place(a) < place(b);
                   });
  return {std::move(groups), undecodable.samples(all)};
}

}  // namespace casvit::dataio
