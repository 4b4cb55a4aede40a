#include "launch/mpi/thread.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "launch/backoff.h"
#include "launch/error.h"
#include "launch/host_name.h"
#include "launch/stack_dump.h"
#include "launch/threads.h"

namespace casvit::launch {
namespace {

/// Between two looks at how the other ranks are, once nothing moves. A rank that died is to be
/// named with its collective before the launcher, which notices too, ends the others: mpirun leaves
/// them about a second.
constexpr std::chrono::milliseconds kLookInterval{100};
/// The same once the time is up, and only somebody's life holds off the end.
constexpr std::chrono::milliseconds kLateLookInterval{50};

/// For tests on one machine: CASVIT_NODES=2 has the ranks of a node take themselves for those of
/// that many nodes, in equal blocks.
void pretend_nodes(MPI_Comm& node) {
  const char* const asked = std::getenv("CASVIT_NODES");
  const int nodes = asked == nullptr ? 1 : std::atoi(asked);
  if (nodes <= 1) return;
  int rank = 0;
  int size = 1;
  CASVIT_CHECK_MPI(MPI_Comm_rank(node, &rank));
  CASVIT_CHECK_MPI(MPI_Comm_size(node, &size));
  MPI_Comm part = MPI_COMM_NULL;
  CASVIT_CHECK_MPI(MPI_Comm_split(node, rank * nodes / size, rank, &part));
  CASVIT_CHECK_MPI(MPI_Comm_free(&node));
  node = part;
}

/// How much longer than its time a rank waits that knows only whom it waits for, not why.
constexpr std::chrono::seconds kFarGrace{1};

/// How long ago the ranks of this node that have not issued this collective showed life, the
/// liveliest of them; none where none of them is watched.
std::optional<std::chrono::nanoseconds> lifeless_behind(
    const std::vector<NodeBoard::Neighbour>& neighbours, std::uint64_t collective) {
  std::optional<std::chrono::nanoseconds> least;
  for (const NodeBoard::Neighbour& neighbour : neighbours) {
    if (neighbour.issued >= collective || !neighbour.lifeless) continue;
    if (!least || *neighbour.lifeless < *least) least = neighbour.lifeless;
  }
  return least;
}

}  // namespace

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

MpiThread::MpiThread(Watchdog& watchdog, OnFailure on_failure)
    : watchdog_(watchdog), on_failure_(std::move(on_failure)) {
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
  operation->enter(++submitted_, watchdog_);
  last_submitted_ = operation->description();
  board_->note_issued(submitted_);
  queue_.push_back(std::move(operation));
  call();
}

void MpiThread::finish() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    call();
  }
  thread_.join();
  if (!failure_.empty()) throw CommunicationError(failure_);
}

std::string MpiThread::last_submitted() {
  const std::lock_guard lock(mutex_);
  return last_submitted_;
}

bool MpiThread::claim_failure() { return board_->claim_failure(); }

void MpiThread::request_abort(int code) {
  const std::lock_guard lock(mutex_);
  if (!abort_code_) abort_code_ = code;
  call();
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
  try {
    if (!serve()) return;
  } catch (const CommunicationError& error) {
    return give_up(ExitCode::kCommunication,
                   std::string("moving messages failed: ") + error.what());
  } catch (const std::exception& error) {
    return give_up(ExitCode::kDefect, std::string("internal error, please report it: the thread "
                                                  "that owns MPI: ") +
                                          error.what());
  }
  try {
    stop_mpi();
  } catch (const std::exception& error) {
    fail("stopping", error);
  }
}

/// What goes wrong in an operation fails that (Pipeline), and whoever waits for it ends the job.
/// This is what goes wrong between them: nobody may be waiting.
void MpiThread::give_up(ExitCode code, const std::string& message) {
  // Whoever ends the job asks this thread for MPI_Abort.
  std::thread([this, code, message] { on_failure_(code, message); }).detach();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return abort_code_.has_value(); });
  const int asked = *abort_code_;
  lock.unlock();
  MPI_Abort(MPI_COMM_WORLD, asked);
}

void MpiThread::start_mpi() {
  int provided = MPI_THREAD_SINGLE;
  CASVIT_CHECK_MPI(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided));
  if (provided < MPI_THREAD_FUNNELED) {
    throw CommunicationError("this MPI library was built without thread support");
  }
  CASVIT_CHECK_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  CASVIT_CHECK_MPI(
      MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node_));
  int sharing_cores = 1;
  CASVIT_CHECK_MPI(MPI_Comm_size(node_, &sharing_cores));
  pretend_nodes(node_);
  layout_ = discover_layout(MPI_COMM_WORLD, node_);
  who_ = "rank " + std::to_string(layout_.rank) + " of " + std::to_string(layout_.size) + " on " +
         layout_.host;
  board_ = std::make_unique<NodeBoard>(node_, layout_.rank);
  make_paths(paths_, node_, layout_);
  watchdog_.also_show("the thread that owns MPI", current_thread());
  // One core for this thread and one for its caller, on every rank: otherwise spinning takes the
  // core from who has the answer.
  const int cores = usable_cores();
  may_spin_ = cores >= 2 * (layout_.has_private_cores ? 1 : sharing_cores);
  // Sleeps of tens of microseconds would otherwise be lengthened by the kernel's 50.
  prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
}

bool MpiThread::serve() {
  Pipeline pipeline(who_, paths_.window->usable() ? paths_.window->slots() : Pipeline::kWindow);
  Backoff backoff(may_spin_);
  while (true) {
    std::deque<std::shared_ptr<Operation>> arrived;
    {
      std::unique_lock lock(mutex_);
      if (pipeline.idle()) {
        board_->note_idle();
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
    board_->note_alive();
    if (pipeline.advance()) {
      backoff.reset();
      continue;
    }
    switch (backoff.next()) {
      case Backoff::Pause::kNone:
        break;
      case Backoff::Pause::kYield: {
        const auto start = Backoff::Clock::now();
        std::this_thread::yield();
        backoff.note_yield(Backoff::Clock::now() - start);
        break;
      }
      case Backoff::Pause::kSleep:
        check_on_others(pipeline);
        if (paths_.one_node()) {
          if (sleep_until_rung(pipeline)) backoff.reset();
        } else {
          std::unique_lock lock(mutex_);
          changed_.wait_for(lock, backoff.sleep(), [this] { return has_news(); });
        }
        break;
    }
  }
}

/// Where no message is under way, neighbours wake this thread when they have something for it.
/// True when something moved meanwhile.
bool MpiThread::sleep_until_rung(Pipeline& pipeline) {
  constexpr std::chrono::milliseconds kLongest{5};  // then it looks at how the others are
  NodeWindow& window = *paths_.window;
  const std::uint32_t rings = window.fall_asleep();
  bool idle = false;
  {
    const std::lock_guard lock(mutex_);
    idle = !has_news();
  }
  const bool moved = idle && pipeline.advance();
  if (idle && !moved) window.sleep(rings, kLongest);
  window.wake_up();
  return moved;
}

/// Under mutex_.
bool MpiThread::has_news() const { return !queue_.empty() || abort_code_.has_value(); }

/// Under mutex_: has the thread look at once.
void MpiThread::call() {
  changed_.notify_all();
  if (started_ && paths_.one_node()) paths_.window->ring_own();
}

/// Note: Who is to blame.
/// A rank that waits in vain knows what it misses, not why: the one it waits for may itself be
/// waiting. Of the ranks on its node the board tells who is dead, who is stuck inside MPI and who
/// has not issued this collective yet: they hold up everybody. Where the board tells nothing, the
/// ranks that messages are missing from are named.
///
/// One that has not issued it yet may be busy with what takes long, and only it: the first rank
/// with the disk, say. While its own watchdog has it watched and sees it live, it is waited for:
/// should it get stuck, that watchdog ends the job, and knows better where.
void MpiThread::check_on_others(Pipeline& pipeline) {
  const auto now = std::chrono::steady_clock::now();
  const auto waited = now - std::max(pipeline.moved(), excused_);
  const std::chrono::milliseconds timeout = timeout_;
  const bool late = timeout.count() > 0 && waited >= timeout;
  if (!late && waited < kLookInterval) return;
  if (now - looked_ < (late ? kLateLookInterval : kLookInterval)) return;
  looked_ = now;
  const std::vector<NodeBoard::Neighbour> neighbours = board_->neighbours();
  for (const NodeBoard::Neighbour& neighbour : neighbours) {
    if (!neighbour.dead) continue;
    return pipeline.fail_front(name_of(neighbour.rank) +
                               " died; the last that it issued was collective " +
                               std::to_string(neighbour.issued));
  }
  const auto lifeless = lifeless_behind(neighbours, pipeline.front().number());
  if (lifeless && (timeout.count() == 0 || *lifeless < timeout)) {
    // Until then all was well: when it comes, what it brings has the whole time to go through.
    excused_ = now - *lifeless;
    return pipeline.feed();
  }
  if (!late) return;
  std::string accused = accuse_neighbours(neighbours, pipeline.front().number(), waited);
  if (accused.empty()) {
    // Another node may know better who it is, and say so first.
    if (layout_.node_count > 1 && waited < timeout + kFarGrace) return;
    accused = accuse_awaited(pipeline.awaited());
  }
  char text[64];
  std::snprintf(text, sizeof text, "nothing moved for %.3g s; ",
                std::chrono::duration<double>(waited).count());
  pipeline.fail_front(text + accused);
}

/// Those of this node that hold up everybody; empty where none does.
std::string MpiThread::accuse_neighbours(const std::vector<NodeBoard::Neighbour>& neighbours,
                                         std::uint64_t collective,
                                         std::chrono::nanoseconds waited) const {
  std::string stuck;
  std::string behind;
  for (const NodeBoard::Neighbour& neighbour : neighbours) {
    const std::string name = name_of(neighbour.rank);
    if (neighbour.silent >= waited / 2) {
      stuck += (stuck.empty() ? "" : ", ") + name + " is stuck inside MPI";
    }
    if (neighbour.issued < collective) {
      behind += (behind.empty() ? "" : ", ") + name +
                " is behind, the last that it issued was collective " +
                std::to_string(neighbour.issued);
    }
  }
  return stuck.empty() ? behind : stuck;
}

std::string MpiThread::accuse_awaited(const std::vector<int>& ranks) const {
  std::string missing;
  for (const int rank : ranks) missing += (missing.empty() ? "" : ", ") + name_of(rank);
  if (missing.empty()) return "every rank on this host issued it";
  return "waiting for " + missing;
}

std::string MpiThread::accuse_on_device(std::uint64_t number) const {
  std::string accused;
  for (const NodeBoard::Neighbour& neighbour : board_->neighbours()) {
    if (!neighbour.dead && neighbour.issued_on_device >= number) continue;
    accused += (accused.empty() ? "" : ", ") + name_of(neighbour.rank) +
               (neighbour.dead ? " died" : " is behind") +
               ", the last that it issued was GPU collective " +
               std::to_string(neighbour.issued_on_device);
  }
  return accused.empty() ? "every other rank on this host issued it" : accused;
}

std::string MpiThread::find_dead_on_device() const {
  std::string dead;
  for (const NodeBoard::Neighbour& neighbour : board_->neighbours()) {
    if (!neighbour.dead) continue;
    dead += (dead.empty() ? "" : ", ") + name_of(neighbour.rank) +
            " died, the last that it issued was GPU collective " +
            std::to_string(neighbour.issued_on_device);
  }
  return dead;
}

std::string MpiThread::name_of(int rank) const {
  return "rank " + std::to_string(rank) + " on " + layout_.hosts[static_cast<std::size_t>(rank)];
}

void MpiThread::stop_mpi() {
  board_->release();
  CASVIT_CHECK_MPI(MPI_Comm_free(&node_));
  CASVIT_CHECK_MPI(MPI_Comm_free(&paths_.across.communicator));
  CASVIT_CHECK_MPI(MPI_Comm_free(&paths_.all.communicator));
  CASVIT_CHECK_MPI(MPI_Finalize());
}

}  // namespace casvit::launch
