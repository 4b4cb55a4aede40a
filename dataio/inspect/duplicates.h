#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataio/container/reader.h"
#include "dataio/inspect/damaged_sample.h"

namespace casvit::dataio {

/// Why samples are taken for the same picture.
enum class Likeness {
  kBytes,   ///< the same stored bytes
  kPixels,  ///< other bytes, the same pixels
  kNear     ///< alike by their perceptual hash
};

/// One sample of one of several files.
struct SampleId {
  std::size_t file = 0;
  std::uint64_t sample = 0;
};

/// Samples that are the same picture, two or more, in order of files and samples.
struct DuplicateGroup {
  Likeness likeness = Likeness::kBytes;
  std::vector<SampleId> members;

  bool spans_files() const { return members.front().file != members.back().file; }
};

struct Duplicates {
  std::vector<DuplicateGroup> groups;
  std::vector<DamagedSample> undecodable;  ///< in order of files and samples
};

struct DuplicateSearch {
  bool pixels = true;     ///< decode everything, and compare pixels too
  bool near = false;      ///< needs `pixels`
  int near_distance = 4;  ///< bits of 64 in which two perceptual hashes may differ
  int workers = 1;
};

/// Called on the calling thread: what is being done, and how far it is.
using DuplicateProgress =
    std::function<void(const std::string& phase, std::uint64_t done, std::uint64_t total)>;

/// Finds pictures that occur more than once, inside a file or in several. Equal bytes are found by
/// the stored hashes and confirmed by comparing the bytes themselves; equal pixels by a hash of
/// 128 bits over size and pixels. Of samples with equal bytes only the first is compared further,
/// and of those with equal pixels only the first is looked for among near pictures.
///
/// Near pictures are chained: A like B and B like C are one group. Hashes within the distance d of
/// each other agree in one of d + 1 bands at least, so that only hashes that share a band are
/// compared, and not all with all. Pictures without any structure are left out.
///
/// What is damaged or cannot be decoded is compared no further.
Duplicates find_duplicates(const std::vector<const ContainerReader*>& files,
                           const DuplicateSearch& search, const DuplicateProgress& progress);

}  // namespace casvit::dataio
