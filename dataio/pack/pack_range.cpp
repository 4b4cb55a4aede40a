#include "dataio/pack/pack_range.h"

#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include "dataio/container/index_builder.h"
#include "dataio/error.h"
#include "dataio/pack/ordered_output.h"
#include "dataio/pack/parallel_for.h"

namespace casvit::dataio {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kPieceBytes = 1 << 20;    ///< that a worker aims at
constexpr std::uint64_t kLargestPiece = 4 << 20;  ///< beyond which it hands over early
constexpr std::uint64_t kMostCandidates = 64;     ///< of a piece
constexpr std::uint64_t kFirstCandidates = 4;     ///< while nobody knows how large they are
constexpr std::size_t kParkedBytes = 256U << 20;  ///< that wait for their turn
constexpr std::chrono::seconds kDurableEvery{15};

/// Hands out candidates in runs that make pieces of about kPieceBytes.
class Claims {
 public:
  Claims(std::uint64_t begin, std::uint64_t end, std::uint64_t workers)
      : next_(begin), end_(end), workers_(workers) {}

  /// [first, second); empty at the end.
  std::pair<std::uint64_t, std::uint64_t> claim() {
    const std::lock_guard lock(mutex_);
    const std::uint64_t average = done_ > 0 ? std::max<std::uint64_t>(1, bytes_ / done_) : 0;
    std::uint64_t wanted = average == 0 ? kFirstCandidates : kPieceBytes / average;
    wanted = std::min(wanted, (end_ - next_) / (4 * workers_));  // all end at about the same time
    wanted = std::clamp<std::uint64_t>(wanted, 1, kMostCandidates);
    const std::uint64_t first = next_;
    next_ = std::min(end_, next_ + wanted);
    return {first, next_};
  }

  void done(const PreparedPiece& piece) {
    const std::lock_guard lock(mutex_);
    bytes_ += piece.total_bytes();
    done_ += piece.records.size();
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    next_ = end_;
    stopped_ = true;
  }
  bool stopped() const { return stopped_; }

 private:
  std::mutex mutex_;
  std::uint64_t next_;
  const std::uint64_t end_;
  const std::uint64_t workers_;
  std::uint64_t bytes_ = 0;
  std::uint64_t done_ = 0;
  std::atomic<bool> stopped_{false};
};

/// One worker's way from a candidate to its place in a piece.
class Preparer {
 public:
  explicit Preparer(const PackRange& range) : range_(range) {}

  SampleRecord prepare(std::uint64_t candidate, PreparedPiece& piece) {
    SampleRecord record;
    const Candidate& picture = range_.plan.candidates[candidate];
    std::vector<std::uint8_t>& bytes = piece.bytes[picture.part];
    const std::size_t before = bytes.size();
    try {
      refuse_unusable(candidate);
      append(picture, bytes, record);
    } catch (const InputError& error) {
      bytes.resize(before);
      record.length = 0;
      record.rejected = error.what();
    }
    return record;
  }

 private:
  void refuse_unusable(std::uint64_t candidate) const {
    if (range_.plan.unusable.empty()) return;
    const auto at = range_.plan.unusable.find(candidate);
    if (at != range_.plan.unusable.end()) throw InputError(at->second);
  }

  void append(const Candidate& picture, std::vector<std::uint8_t>& bytes, SampleRecord& record) {
    const StorageOptions& storage = range_.options.storage;
    const std::size_t at = aligned_position(bytes.size());
    if (storage.changes_pictures()) {
      range_.source.read(picture, scratch_, 0, record.source);
      bytes.resize(at);
      store_picture(scratch_, storage, bytes, record);
    } else {
      range_.source.read(picture, bytes, at, record.source);
      inspect_picture(std::span(bytes).subspan(at), storage, record);
    }
  }

  const PackRange& range_;
  std::vector<std::uint8_t> scratch_;
};

void work(const PackRange& range, Claims& claims, OrderedOutput& output) {
  Preparer preparer(range);
  const auto fresh = [&range](std::uint64_t first) {
    PreparedPiece piece;
    piece.first = first;
    piece.bytes.resize(range.blobs.size());
    return piece;
  };
  for (;;) {
    const auto [begin, end] = claims.claim();
    if (begin == end) return;
    PreparedPiece piece = fresh(begin);
    for (std::uint64_t i = begin; i < end; ++i) {
      if (claims.stopped()) return;
      piece.records.push_back(preparer.prepare(i, piece));
      if (i + 1 < end && piece.total_bytes() < kLargestPiece) continue;
      claims.done(piece);
      output.submit(std::exchange(piece, fresh(i + 1)));
    }
  }
}

}  // namespace

RangeProgress take_over(const PackRange& range, const JournalState& state) {
  RangeProgress progress;
  progress.ends.resize(range.blobs.size());
  progress.sizes.resize(range.blobs.size());
  std::vector<std::uint8_t> bytes;
  std::size_t kept = 0;
  std::string_view rest = state.records;
  while (!rest.empty() && range.begin + progress.candidates < range.end) {
    const std::size_t position = state.records.size() - rest.size();
    const SampleRecord record = take_record(rest);
    const Candidate& picture = range.plan.candidates[range.begin + progress.candidates];
    if (record.source != SourceStamp() && range.source.stamp(picture) != record.source) {
      throw InputError(range.source.describe(picture) +
                       " has changed since the packing was interrupted; pass --restart to begin "
                       "anew");
    }
    if (record.length > 0) {
      const std::uint64_t at = progress.ends[picture.part];
      // A picture that was synced to disk is taken at its last byte, others are read and hashed.
      const bool durable = position < state.durable_bytes;
      bytes.resize(durable ? 1 : record.length);
      const bool there = range.blobs[picture.part]->read(at + record.length - bytes.size(), bytes);
      if (!there || (!durable && XXH3_64bits(bytes.data(), bytes.size()) != record.xxh3)) break;
      progress.sizes[picture.part] = at + record.length;
      progress.ends[picture.part] = aligned_position(at + record.length);
    }
    ++progress.candidates;
    kept = state.records.size() - rest.size();
  }
  progress.records.assign(state.records, 0, kept);
  return progress;
}

void pack_range(const PackRange& range, Journal& journal, RangeProgress& progress,
                const std::function<void(std::uint64_t, std::uint64_t)>& tick) {
  const auto check = [&range](std::uint64_t candidate, const SampleRecord& record) {
    if (record.rejected.empty() || range.options.on_error != OnError::kFail) return;
    throw InputError(range.source.describe(range.plan.candidates[candidate]) + ": " +
                     record.rejected +
                     "; repair or remove it, or leave such files out with --on-error quarantine");
  };
  const std::uint64_t first = range.begin + progress.candidates;
  OrderedOutput output(range.blobs, progress.ends, first, kParkedBytes, check);
  const auto workers = static_cast<std::uint64_t>(range.options.workers);
  Claims claims(first, range.end, workers);
  const auto stop = [&] {
    claims.stop();
    output.stop();
  };
  const auto run = [&](std::uint64_t) {
    try {
      work(range, claims, output);
    } catch (...) {
      stop();
      throw;
    }
  };
  const auto record_written = [&] {
    const std::string written = output.take_written();
    journal.add_records(written);
    progress.records += written;
  };
  Clock::time_point durable = Clock::now();
  const auto on_tick = [&](std::uint64_t) {
    try {
      record_written();
      if (Clock::now() - durable > kDurableEvery) {
        for (const BlobFile* blob : range.blobs) blob->sync();
        journal.mark_durable();
        durable = Clock::now();
      }
      tick(output.written() - range.begin, range.end - range.begin);
    } catch (...) {
      stop();
      throw;
    }
  };
  parallel_for(std::max<std::uint64_t>(1, std::min(workers, range.end - first)),
               range.options.workers, run, on_tick);
  record_written();
  progress.candidates = range.end - range.begin;
  progress.ends = output.part_ends();
}

}  // namespace casvit::dataio
