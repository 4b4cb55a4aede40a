#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "launch/communicator.h"
#include "launch/watchdog.h"

namespace casvit::launch {

/// One cut of a collective, small enough to bound scratch memory and message sizes. Lives on the
/// thread that owns MPI; nothing is posted before the first `advance`.
class Piece {
 public:
  Piece() = default;
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;
  virtual ~Piece() = default;

  /// Does what can be done without waiting; true when nothing is left to do.
  virtual bool advance() = 0;
  /// Whose messages are missing; empty where that cannot be told.
  virtual std::vector<int> awaited() { return {}; }
};

/// One collective that was issued: how its pieces are made, and the state its issuer waits on.
class Operation final : public Completion::State {
 public:
  /// Makes piece `index`. `sequence` numbers the pieces of all operations, alike on every rank.
  using MakePiece = std::function<std::unique_ptr<Piece>(std::size_t index, std::size_t sequence)>;

  /// @param description for error messages: "all_reduce (sum) of 1024 float32".
  Operation(std::string description, std::size_t piece_count, MakePiece make_piece);

  /// Its place among all operations of this rank, from 1, and who notices should even the thread
  /// that moves it be stuck. Before it is moved or waited for.
  void enter(std::uint64_t number, Watchdog& watchdog);

  /// "collective 12, all_reduce (sum) of 1024 float32".
  const std::string& description() const { return description_; }
  std::uint64_t number() const { return number_; }
  std::size_t piece_count() const { return piece_count_; }
  std::unique_ptr<Piece> make_piece(std::size_t index, std::size_t sequence) const {
    return make_piece_(index, sequence);
  }

  void complete();
  /// What it waits for lives: whoever waits for it is not stuck.
  void feed();
  /// Every wait, past or future, throws a CommunicationError with this message.
  void fail(const std::string& message);

  void wait() override;
  bool done() const override;
  std::optional<std::chrono::steady_clock::time_point> completed_at() const override;

 private:
  std::string description_;
  const std::size_t piece_count_;
  const MakePiece make_piece_;
  std::uint64_t number_ = 0;
  Watchdog* watchdog_ = nullptr;

  mutable std::mutex mutex_;
  std::condition_variable done_changed_;
  bool done_ = false;
  std::chrono::steady_clock::time_point completed_at_{};
  std::uint64_t feeds_ = 0;
  std::string failure_;
};

}  // namespace casvit::launch
