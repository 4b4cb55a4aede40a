#include "dataio/pack/ordered_output.h"

#include <utility>

#include "dataio/container/index_builder.h"

namespace casvit::dataio {

std::size_t PreparedPiece::total_bytes() const {
  std::size_t total = 0;
  for (const auto& part : bytes) total += part.size();
  return total;
}

OrderedOutput::OrderedOutput(std::vector<const BlobFile*> blobs, std::vector<std::uint64_t> ends,
                             std::uint64_t first, std::size_t parked_bytes,
                             std::function<void(std::uint64_t, const SampleRecord&)> on_record)
    : blobs_(std::move(blobs)),
      limit_(parked_bytes),
      on_record_(std::move(on_record)),
      ends_(std::move(ends)),
      next_(first),
      written_(first) {}

void OrderedOutput::submit(PreparedPiece piece) {
  const std::size_t size = piece.total_bytes();
  std::unique_lock lock(mutex_);
  // Whoever's turn it is never waits, so that the others' turn comes.
  turn_.wait(lock,
             [&] { return stopped_ || piece.first == next_ || parked_bytes_ + size <= limit_; });
  if (stopped_) return;
  parked_bytes_ += size;
  parked_.emplace(piece.first, std::move(piece));
  while (!stopped_ && !parked_.empty() && parked_.begin()->first == next_) {
    const PreparedPiece due = std::move(parked_.extract(parked_.begin()).mapped());
    std::vector<std::uint64_t> positions;
    place(due, positions);
    turn_.notify_all();
    lock.unlock();
    write(due, positions);
    lock.lock();
    parked_bytes_ -= due.total_bytes();
    finish(due);
    turn_.notify_all();
  }
}

void OrderedOutput::place(const PreparedPiece& piece, std::vector<std::uint64_t>& positions) {
  for (std::size_t i = 0; i < piece.records.size(); ++i) {
    on_record_(piece.first + i, piece.records[i]);
  }
  positions = ends_;
  for (std::size_t p = 0; p < piece.bytes.size(); ++p) {
    ends_[p] = aligned_position(ends_[p] + piece.bytes[p].size());
  }
  next_ = piece.end();
}

void OrderedOutput::write(const PreparedPiece& piece,
                          const std::vector<std::uint64_t>& positions) const {
  for (std::size_t p = 0; p < piece.bytes.size(); ++p) {
    if (!piece.bytes[p].empty()) blobs_[p]->write(positions[p], piece.bytes[p]);
  }
}

void OrderedOutput::finish(const PreparedPiece& piece) {
  std::string encoded;
  for (const SampleRecord& record : piece.records) append_record(encoded, record);
  finished_.emplace(piece.first, std::pair{piece.end(), std::move(encoded)});
  while (!finished_.empty() && finished_.begin()->first == written_) {
    written_ = finished_.begin()->second.first;
    log_ += finished_.begin()->second.second;
    finished_.erase(finished_.begin());
  }
}

void OrderedOutput::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  turn_.notify_all();
}

std::string OrderedOutput::take_written() {
  const std::lock_guard lock(mutex_);
  return std::exchange(log_, std::string());
}

std::uint64_t OrderedOutput::written() const {
  const std::lock_guard lock(mutex_);
  return written_;
}

std::vector<std::uint64_t> OrderedOutput::part_ends() const {
  const std::lock_guard lock(mutex_);
  return ends_;
}

}  // namespace casvit::dataio
