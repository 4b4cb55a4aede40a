#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataio/container/blob_file.h"
#include "dataio/pack/journal.h"
#include "dataio/pack/plan.h"
#include "dataio/pack/source_reader.h"

namespace casvit::dataio {

/// What one process packs.
struct PackRange {
  const PackOptions& options;
  const PackPlan& plan;
  const SourceReader& source;
  std::uint64_t begin = 0;  ///< candidates of the plan
  std::uint64_t end = 0;
  std::vector<const BlobFile*> blobs;  ///< one for each part
};

/// How far a range is packed.
struct RangeProgress {
  std::string records;               ///< encoded, of candidates from PackRange::begin on
  std::uint64_t candidates = 0;      ///< how many
  std::vector<std::uint64_t> ends;   ///< where the next picture of each part goes
  std::vector<std::uint64_t> sizes;  ///< bytes of each part so far
};

/// What of an interrupted packing still holds: records whose pictures are in the blobs. Those that
/// were not known to be on disk are checked against their hashes; the first that is not as it
/// should be ends it.
/// @throws InputError for a picture that changed since, or that is not there any more
RangeProgress take_over(const PackRange& range, const JournalState& state);

/// Packs what `progress` leaves of the range, on `options.workers` threads, and keeps the journal.
/// `progress.records` are complete in the end. What `tick` (candidates done, in all) throws comes
/// out of this, the journal being up to date.
void pack_range(const PackRange& range, Journal& journal, RangeProgress& progress,
                const std::function<void(std::uint64_t, std::uint64_t)>& tick);

}  // namespace casvit::dataio
