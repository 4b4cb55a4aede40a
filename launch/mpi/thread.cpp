#include "launch/mpi/thread.h"

#include <sys/prctl.h>

#include <utility>

#include "launch/backoff.h"
#include "launch/error.h"
#include "launch/host_name.h"
#include "launch/pipeline.h"
#include "launch/threads.h"

namespace casvit::launch {

/// Note: One thread owns MPI.
/// MPI_THREAD_FUNNELED lets only the thread that initialised MPI call it, and asks the least of an
/// MPI library; a thread of ours does, and nobody else ever does. So the training thread may be
/// wherever it likes when a message arrives: this thread moves it on, and sums, meanwhile.
///
/// It never waits inside MPI, for Open MPI waits by spinning: on a core that a compute thread (or
/// the very rank that is waited for) needs. With nothing in flight it sleeps on a condition
/// variable; with requests in flight it tests them between pauses (Backoff), on the same condition
/// variable, so that new work or an abort wakes it at once. MPI_Init_thread, the few collectives
/// after it and MPI_Finalize are the exceptions; World::finish has all ranks meet in a barrier of
/// ours before the last.

MpiThread::MpiThread() {
  thread_ = std::thread([this] { run(); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return started_ || !failure_.empty(); });
  if (failure_.empty()) return;
  lock.unlock();
  thread_.join();
  throw CommunicationError(failure_);
}

MpiThread::~MpiThread() {
  // finish() reports what goes wrong; here there is nobody left to tell.
  try {
    finish();
  } catch (const CommunicationError&) {  // NOLINT(bugprone-empty-catch)
  }
}

void MpiThread::submit(std::shared_ptr<Operation> operation) {
  const std::lock_guard lock(mutex_);
  if (stop_) throw CommunicationError(operation->description() + " after the end of the world");
  queue_.push_back(std::move(operation));
  changed_.notify_all();
}

void MpiThread::finish() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  thread_.join();
  if (!failure_.empty()) throw CommunicationError(failure_);
}

bool MpiThread::claim_failure() { return first_failure_->claim(); }

void MpiThread::request_abort(int code) {
  const std::lock_guard lock(mutex_);
  if (!abort_code_) abort_code_ = code;
  changed_.notify_all();
}

void MpiThread::run() {
  const auto fail = [this](const std::string& doing, const std::exception& error) {
    const std::string who = who_.empty() ? "host " + host_name() : who_;
    const std::lock_guard lock(mutex_);
    failure_ = doing + " MPI failed on " + who + ": " + error.what();
    changed_.notify_all();
  };
  try {
    start_mpi();
  } catch (const std::exception& error) {
    return fail("starting", error);
  }
  {
    const std::lock_guard lock(mutex_);
    started_ = true;
    changed_.notify_all();
  }
  if (!serve()) return;
  try {
    stop_mpi();
  } catch (const std::exception& error) {
    fail("stopping", error);
  }
}

void MpiThread::start_mpi() {
  int provided = MPI_THREAD_SINGLE;
  CASVIT_CHECK_MPI(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided));
  if (provided < MPI_THREAD_FUNNELED) {
    throw CommunicationError("this MPI library was built without thread support");
  }
  CASVIT_CHECK_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  // Duplicates inherit the error handler. One of our own keeps our tags apart from anybody else's.
  CASVIT_CHECK_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &pieces_.communicator));
  CASVIT_CHECK_MPI(
      MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node_));
  layout_ = discover_layout(pieces_.communicator, node_);
  who_ = "rank " + std::to_string(layout_.rank) + " of " + std::to_string(layout_.size) + " on " +
         layout_.host;
  pieces_.rank = layout_.rank;
  pieces_.size = layout_.size;
  first_failure_ = std::make_unique<FirstFailure>(node_);
  // One core for this thread and one for its caller, on every rank: otherwise spinning takes the
  // core from who has the answer.
  const int cores = usable_cores();
  may_spin_ = cores >= 2 * (layout_.has_private_cores ? 1 : layout_.local_size);
  // Sleeps of tens of microseconds would otherwise be lengthened by the kernel's 50.
  prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
}

bool MpiThread::serve() {
  Pipeline pipeline(who_);
  Backoff backoff(may_spin_);
  while (true) {
    std::deque<std::shared_ptr<Operation>> arrived;
    {
      std::unique_lock lock(mutex_);
      if (pipeline.idle()) {
        changed_.wait(lock, [this] { return !queue_.empty() || stop_ || abort_code_; });
        backoff.reset();
      }
      if (abort_code_) {
        const int code = *abort_code_;
        lock.unlock();
        // Ends the process. Should it fail to, who asked for it does.
        MPI_Abort(MPI_COMM_WORLD, code);
        return false;
      }
      if (stop_ && queue_.empty() && pipeline.idle()) return true;
      arrived.swap(queue_);
    }
    for (auto& operation : arrived) pipeline.add(std::move(operation));
    if (pipeline.advance()) {
      backoff.reset();
      continue;
    }
    switch (backoff.next()) {
      case Backoff::Pause::kNone:
        break;
      case Backoff::Pause::kYield:
        std::this_thread::yield();
        break;
      case Backoff::Pause::kSleep: {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, backoff.sleep(),
                          [this] { return !queue_.empty() || abort_code_.has_value(); });
        break;
      }
    }
  }
}

void MpiThread::stop_mpi() {
  first_failure_->release();
  CASVIT_CHECK_MPI(MPI_Comm_free(&node_));
  CASVIT_CHECK_MPI(MPI_Comm_free(&pieces_.communicator));
  CASVIT_CHECK_MPI(MPI_Finalize());
}

}  // namespace casvit::launch
