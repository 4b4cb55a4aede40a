#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "launch/mpi/first_failure.h"
#include "launch/mpi/layout.h"
#include "launch/mpi/pieces.h"
#include "launch/operation.h"

namespace casvit::launch {

/// The thread that owns MPI, from MPI_Init_thread to MPI_Finalize (the note "One thread owns MPI"
/// is in thread.cpp). Everything public may be called from any other thread.
class MpiThread {
 public:
  /// Returns when MPI is up. @throws CommunicationError
  MpiThread();
  MpiThread(const MpiThread&) = delete;
  MpiThread& operator=(const MpiThread&) = delete;
  ~MpiThread();

  const Layout& layout() const { return layout_; }
  /// "rank 1 of 4 on host".
  const std::string& who() const { return who_; }

  /// Queues an operation; its completion is waited for through itself.
  void submit(std::shared_ptr<Operation> operation);
  /// For pieces, which run on this thread only.
  PieceContext& pieces() { return pieces_; }

  /// MPI_Finalize, after all that was submitted; collective. Twice is once.
  /// @throws CommunicationError
  void finish();

  /// Whether this rank is the first on its node to fail.
  bool claim_failure();
  /// Has the thread call MPI_Abort(code) as soon as it looks; returns at once. The process ends
  /// by it, or not at all when the thread is stuck: the caller keeps the time.
  void request_abort(int code);

 private:
  void run();
  void start_mpi();
  bool serve();  ///< false when it ended in an abort
  void stop_mpi();

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::deque<std::shared_ptr<Operation>> queue_;
  std::optional<int> abort_code_;
  bool started_ = false;
  bool stop_ = false;
  std::string failure_;  ///< of starting or stopping MPI

  // Written before started_, read-only afterwards:
  Layout layout_;
  std::string who_;
  bool may_spin_ = false;

  PieceContext pieces_;
  MPI_Comm node_ = MPI_COMM_NULL;
  std::unique_ptr<FirstFailure> first_failure_;
  std::thread thread_;
};

}  // namespace casvit::launch
