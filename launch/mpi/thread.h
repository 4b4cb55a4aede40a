#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "launch/exit_code.h"
#include "launch/mpi/layout.h"
#include "launch/mpi/node_board.h"
#include "launch/mpi/paths.h"
#include "launch/operation.h"
#include "launch/pipeline.h"
#include "launch/watchdog.h"

namespace casvit::launch {

/// The thread that owns MPI, from MPI_Init_thread to MPI_Finalize (the note "One thread owns MPI"
/// is in thread.cpp). Everything public may be called from any other thread.
class MpiThread {
 public:
  /// Called on a thread of its own when this one can go on no more; it is to end the job.
  using OnFailure = std::function<void(ExitCode code, const std::string& message)>;

  /// Returns when MPI is up. @param watchdog outlives it @throws CommunicationError
  MpiThread(Watchdog& watchdog, OnFailure on_failure);
  MpiThread(const MpiThread&) = delete;
  MpiThread& operator=(const MpiThread&) = delete;
  ~MpiThread();

  const Layout& layout() const { return layout_; }
  /// "rank 1 of 4 on host".
  const std::string& who() const { return who_; }

  /// Queues an operation; its completion is waited for through itself.
  void submit(std::shared_ptr<Operation> operation);
  /// For pieces, which run on this thread only.
  Paths& paths() { return paths_; }

  /// MPI_Finalize, after all that was submitted; collective. Twice is once.
  /// @throws CommunicationError
  void finish();

  /// How long operations may stand still before they fail, all of them; zero: for ever.
  void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }

  /// What was submitted last: "collective 12, barrier"; empty before the first.
  std::string last_submitted();

  /// The number of the last collective between GPUs that this rank issued.
  void note_issued_on_device(std::uint64_t number) { board_->note_issued_on_device(number); }
  /// Which ranks of this node may hold up that one: "rank 1 on host is behind, ..."
  std::string accuse_on_device(std::uint64_t number) const;
  /// Which ranks of this node died, if any: "rank 1 on host died, ..."
  std::string find_dead_on_device() const;

  /// This rank shows life, as its watchdog knows (NodeBoard::note_life).
  void note_life(bool watched) { board_->note_life(watched); }

  /// Whether this rank is the first on its node to fail.
  bool claim_failure();
  /// Has the thread call MPI_Abort(code) as soon as it looks; returns at once. The process ends
  /// by it, or not at all when the thread is stuck: the caller keeps the time.
  void request_abort(int code);

 private:
  void run();
  void start_mpi();
  bool serve();  ///< false when it ended in an abort
  bool sleep_until_rung(Pipeline& pipeline);
  bool has_news() const;
  void call();
  void give_up(ExitCode code, const std::string& message);
  void check_on_others(Pipeline& pipeline);
  std::string accuse_neighbours(const std::vector<NodeBoard::Neighbour>& neighbours,
                                std::uint64_t collective, std::chrono::nanoseconds waited) const;
  std::string accuse_awaited(const std::vector<int>& ranks) const;
  std::string name_of(int rank) const;
  void stop_mpi();

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::deque<std::shared_ptr<Operation>> queue_;
  std::optional<int> abort_code_;
  bool started_ = false;
  bool stop_ = false;
  std::string failure_;  ///< of starting or stopping MPI
  std::uint64_t submitted_ = 0;
  std::string last_submitted_;

  // Written before started_, read-only afterwards:
  Layout layout_;
  std::string who_;
  bool may_spin_ = false;

  Watchdog& watchdog_;
  const OnFailure on_failure_;
  std::atomic<std::chrono::milliseconds> timeout_{std::chrono::milliseconds(0)};
  std::chrono::steady_clock::time_point looked_{};  ///< at others, last; serve's own
  /// Up to when whoever is waited for was alive; serve's own.
  std::chrono::steady_clock::time_point excused_{};
  Paths paths_;
  MPI_Comm node_ = MPI_COMM_NULL;
  std::unique_ptr<NodeBoard> board_;
  std::thread thread_;
};

}  // namespace casvit::launch
