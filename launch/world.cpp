#include "launch/world.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <thread>
#include <utility>

#include "launch/error.h"
#include "launch/host_name.h"
#include "launch/launcher.h"
#include "launch/mpi/thread.h"
#include "launch/mpi_communicator.h"
#include "launch/mpi_version.h"
#include "launch/single_communicator.h"

namespace casvit::launch {
namespace {

using std::chrono::milliseconds;

/// A lost connection is mostly the echo of another rank's end.
constexpr milliseconds kEchoWait{500};
/// How long a rank that was not the first to fail waits for the first one's abort to end it.
constexpr milliseconds kSecondWait{1500};
/// How long MPI_Abort may take, from being asked for.
constexpr milliseconds kAbortWait{2000};

/// What waiting may take where nobody set another time: collectives wait for checkpoints, too.
constexpr milliseconds kDefaultTimeout{600'000};

/// Messages of many ranks cost more than they carry: pieces grow with the world.
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;
constexpr std::size_t kMessageBytes = std::size_t{64} << 10;

/// One write, so that lines of several ranks do not mix.
void write_to_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody listens
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Unless another thread is in the middle of printing, and perhaps stuck there.
void flush_stdout() {
  if (ftrylockfile(stdout) != 0) return;
  fflush_unlocked(stdout);
  funlockfile(stdout);
}

}  // namespace

struct World::State {
  State()
      : watchdog([this](const std::string& what) { abort(ExitCode::kCommunication, what, false); },
                 [this] { return who(); }) {
    watchdog.set_timeout(kDefaultTimeout);
  }

  /// "rank 1 of 4 on host: ", as far as it is known; nothing in a world of one.
  std::string who() const;
  /// @param may_be_echo of another rank's end, which has the better message
  [[noreturn]] void abort(ExitCode code, const std::string& message, bool may_be_echo);

  std::atomic<milliseconds> timeout{kDefaultTimeout};
  std::atomic<bool> started{false};
  Watchdog watchdog;
  Layout layout;
  std::unique_ptr<MpiThread> mpi;  ///< none in a world without a launcher
  std::unique_ptr<Communicator> communicator;
  std::atomic<bool> finished{false};
  std::atomic<bool> aborting{false};
};

Hierarchy hierarchy_named(const std::string& name) {
  if (name == "on") return Hierarchy::kOn;
  return name == "off" ? Hierarchy::kOff : Hierarchy::kAuto;
}

World World::start() {
  const Launcher launcher = detect_launcher();
  if (!launcher.problem.empty()) throw WorldError(launcher.problem);
  auto state = std::make_unique<State>();
  if (launcher.offers_mpi) {
    const auto watch = state->watchdog.watch("starting MPI");
    state->mpi = std::make_unique<MpiThread>(
        state->watchdog, [state = state.get()](ExitCode code, const std::string& message) {
          state->abort(code, message, code == ExitCode::kCommunication);
        });
    state->mpi->set_timeout(kDefaultTimeout);
    state->watchdog.tell_life([mpi = state->mpi.get()](bool watched) { mpi->note_life(watched); });
    state->layout = state->mpi->layout();
    if (state->layout.size == 1 && launcher.processes > 1) {
      throw WorldError("the launcher started " + std::to_string(launcher.processes) +
                       " processes, but this one finds no other, and each would train alone: the "
                       "launcher is of another MPI library than this program's (" +
                       mpi_library_version() + "); use mpirun of that one, or srun --mpi=pmix");
    }
  } else {
    state->layout.host = host_name();
    state->layout.hosts = {state->layout.host};
  }
  state->started = true;
  World world(std::move(state));
  const auto ranks = static_cast<std::size_t>(world.size());
  world.state_->communicator =
      world.make_communicator(std::max(kPieceBytes, ranks * kMessageBytes));
  return world;
}

World::World(std::unique_ptr<State> state) : state_(std::move(state)) {}
World::World(World&&) noexcept = default;

World::~World() {
  if (state_ && !state_->finished && size() > 1) {
    abort(ExitCode::kDefect, "the program ended without finishing the world");
  }
}

int World::rank() const { return state_->layout.rank; }
int World::size() const { return state_->layout.size; }
int World::local_rank() const { return state_->layout.local_rank; }
int World::local_size() const { return state_->layout.local_size; }
int World::node_count() const { return state_->layout.node_count; }
const std::string& World::host() const { return state_->layout.host; }
const std::vector<std::string>& World::hosts() const { return state_->layout.hosts; }
bool World::has_private_cores() const { return state_->layout.has_private_cores; }

ThreadPlan World::plan_threads(int requested) const {
  return launch::plan_threads(usable_cores(), local_size(), has_private_cores(), requested);
}

void World::set_timeout(milliseconds timeout) {
  state_->timeout = timeout;
  state_->watchdog.set_timeout(timeout);
  if (state_->mpi) state_->mpi->set_timeout(timeout);
}

void World::set_hierarchy(Hierarchy hierarchy) {
  const bool possible = state_->mpi && state_->mpi->paths().has_levels;
  if (hierarchy == Hierarchy::kOn && !possible) {
    throw WorldError(
        "collectives in two levels, within nodes and across them, need several nodes with equally "
        "many ranks, more than one each, numbered node by node (mpirun --map-by slot) and sharing "
        "memory; leave it to 'auto'");
  }
  if (state_->mpi) state_->mpi->paths().uses_levels = hierarchy != Hierarchy::kOff;
}

milliseconds World::timeout() const { return state_->timeout; }

void World::note_issued_on_device(std::uint64_t number) {
  if (state_->mpi) state_->mpi->note_issued_on_device(number);
}

std::string World::accuse_on_device(std::uint64_t number) const {
  return state_->mpi ? state_->mpi->accuse_on_device(number) : "there is no other rank";
}

std::string World::find_dead_on_device() const {
  return state_->mpi ? state_->mpi->find_dead_on_device() : std::string();
}

Watchdog::Watch World::watch(std::string doing, milliseconds grace) {
  return size() > 1 ? state_->watchdog.watch(std::move(doing), grace) : Watchdog::Watch();
}

Communicator& World::communicator() { return *state_->communicator; }

std::unique_ptr<Communicator> World::make_communicator(std::size_t piece_bytes) {
  if (size() == 1) return std::make_unique<SingleCommunicator>();
  return std::make_unique<MpiCommunicator>(*state_->mpi, piece_bytes);
}

void World::finish() {
  if (state_->finished) return;
  // All meet here, asleep, before MPI_Finalize has those who came early spin (thread.cpp).
  state_->communicator->barrier();
  if (state_->mpi) {
    const auto watch = state_->watchdog.watch("finishing MPI");
    state_->mpi->finish();
  }
  state_->finished = true;
}

void World::abort(ExitCode code, const std::string& message) {
  state_->abort(code, message, code == ExitCode::kCommunication);
}

std::string World::State::who() const {
  if (!started) return "on " + host_name() + ": ";
  if (layout.size == 1) return {};
  return "rank " + std::to_string(layout.rank) + " of " + std::to_string(layout.size) + " on " +
         layout.host + ": ";
}

void World::State::abort(ExitCode code, const std::string& message, bool may_be_echo) {
  // A second thread of this rank has nothing to add, and the first is about to end the process.
  if (aborting.exchange(true)) {
    while (true) std::this_thread::sleep_for(kAbortWait);
  }
  std::string text = "casvit: " + who() + message + "\n";
  const bool among_others = started && layout.size > 1 && !finished;
  if (among_others) {
    if (may_be_echo) std::this_thread::sleep_for(kEchoWait);
    if (!mpi->claim_failure()) std::this_thread::sleep_for(kSecondWait);
    const std::string last = mpi->last_submitted();
    if (!last.empty()) text += "  (the last that this rank issued: " + last + ")\n";
  }
  write_to_stderr(text);
  flush_stdout();
  if (started && mpi && !finished) {
    mpi->request_abort(static_cast<int>(code));
    std::this_thread::sleep_for(kAbortWait);
  }
  _exit(static_cast<int>(code));
}

}  // namespace casvit::launch
