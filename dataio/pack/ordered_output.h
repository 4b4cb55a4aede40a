#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "dataio/container/blob_file.h"
#include "dataio/pack/sample_record.h"

namespace casvit::dataio {

/// Consecutive candidates that one worker has prepared.
struct PreparedPiece {
  std::uint64_t first = 0;            ///< its first candidate
  std::vector<SampleRecord> records;  ///< one for each candidate
  /// What goes into each part: stored pictures in order, each at a multiple of 64.
  std::vector<std::vector<std::uint8_t>> bytes;

  std::uint64_t end() const { return first + records.size(); }
  std::size_t total_bytes() const;
};

/// Gives what workers prepared, in whatever order they come, places in the order of the candidates:
/// a picture's place follows from the sizes of those before it, which nobody knows beforehand. What
/// comes before its turn is parked; where too much is parked, its worker waits. Writing itself is
/// done by the workers, side by side. Thread-safe.
class OrderedOutput {
 public:
  /// @param blobs one for each part; they outlive this
  /// @param ends where the next picture of each part goes, a multiple of 64
  /// @param first candidate that comes first
  /// @param parked_bytes how much may wait for its turn
  /// @param on_record called in the order of candidates, one at a time; what it throws comes out of
  ///        `submit`, and nothing from that candidate on is written
  OrderedOutput(std::vector<const BlobFile*> blobs, std::vector<std::uint64_t> ends,
                std::uint64_t first, std::size_t parked_bytes,
                std::function<void(std::uint64_t, const SampleRecord&)> on_record);

  /// Writes or parks `piece`. Pieces cover every candidate from `first` on once. @throws
  /// OutputError
  void submit(PreparedPiece piece);

  /// Nothing more is coming: those who wait come back, and parked pieces are dropped.
  void stop();

  /// Encoded records of candidates that are written, and all before them too, in order; those
  /// that no earlier call has returned.
  std::string take_written();

  std::uint64_t written() const;                 ///< candidates before this one are written
  std::vector<std::uint64_t> part_ends() const;  ///< the places given away so far

 private:
  void place(const PreparedPiece& piece, std::vector<std::uint64_t>& positions);
  void write(const PreparedPiece& piece, const std::vector<std::uint64_t>& positions) const;
  void finish(const PreparedPiece& piece);

  const std::vector<const BlobFile*> blobs_;
  const std::size_t limit_;
  const std::function<void(std::uint64_t, const SampleRecord&)> on_record_;
  mutable std::mutex mutex_;
  std::condition_variable turn_;
  std::vector<std::uint64_t> ends_;
  std::uint64_t next_;     ///< candidate whose place is due
  std::uint64_t written_;  ///< see written()
  std::map<std::uint64_t, PreparedPiece> parked_;
  std::size_t parked_bytes_ = 0;
  /// Written pieces that follow one that is not: end and encoded records, by first candidate.
  std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> finished_;
  std::string log_;
  bool stopped_ = false;
};

}  // namespace casvit::dataio
