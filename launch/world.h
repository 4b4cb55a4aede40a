#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "launch/communicator.h"
#include "launch/exit_code.h"
#include "launch/threads.h"
#include "launch/watchdog.h"

namespace casvit::launch {

/// Whether a launcher (mpirun, srun) started this process; reads the environment only.
bool started_by_launcher();

enum class Hierarchy { kAuto, kOn, kOff };
/// "on", "off"; kAuto for anything else.
Hierarchy hierarchy_named(const std::string& name);

/// The ranks of this job. Owns MPI: a thread of its own calls MPI_Init_thread, every MPI function
/// and MPI_Finalize (MPI_THREAD_FUNNELED; see the note "One thread owns MPI" in mpi/thread.cpp).
/// Without a launcher it is a world of one rank and MPI is never initialised.
class World {
 public:
  /// @throws CommunicationError when MPI cannot start.
  /// @throws WorldError when a launcher started several processes that MPI could not join: each
  /// would take itself for the whole world.
  static World start();
  /// A world of several ranks that was not finished is aborted as a defect: the others would wait
  /// for this one for ever.
  ~World();
  World(World&&) noexcept;
  World& operator=(World&&) = delete;

  int rank() const;
  int size() const;
  int local_rank() const;  ///< rank among those on this node
  int local_size() const;  ///< ranks on this node
  int node_count() const;
  const std::string& host() const;
  const std::vector<std::string>& hosts() const;  ///< of every rank

  /// Whether the launcher bound the ranks of this node to cores of their own.
  bool has_private_cores() const;
  /// plan_threads for this rank. @param requested threads a rank; 0 derives them.
  ThreadPlan plan_threads(int requested) const;

  /// How long a collective, or anything else that is watched, may stand still before it is a
  /// failure (exit 5); zero: for ever. Ten minutes before the first call. Alike on every rank.
  void set_timeout(std::chrono::milliseconds timeout);
  std::chrono::milliseconds timeout() const;
  /// Whether host collectives are carried out within nodes first, and then across them. What is
  /// issued from then on goes that way; alike on every rank. kAuto, before the first call, does so
  /// where there are several nodes with equally many consecutive ranks that share memory.
  /// @throws WorldError for kOn where that is not so
  void set_hierarchy(Hierarchy hierarchy);
  /// Watches what the calling thread does, up to the watch's end: where it shows no life for the
  /// timeout, its stack is written to standard error and the job ended with exit 5. A rank that is
  /// alone keeps nobody waiting and is not watched.
  /// @param grace beyond the timeout
  Watchdog::Watch watch(std::string doing,
                        std::chrono::milliseconds grace = std::chrono::milliseconds(0));

  /// Collectives between GPUs are numbered apart: which this rank issued last, and who may hold up
  /// one, as far as this node knows: "rank 1 on host is behind, ...".
  void note_issued_on_device(std::uint64_t number);
  std::string accuse_on_device(std::uint64_t number) const;
  /// Who of this node died: "rank 1 on host died, ..."; empty where nobody did.
  std::string find_dead_on_device() const;

  /// Host-memory collectives over all ranks.
  Communicator& communicator();
  /// The same with pieces of another size (MpiCommunicator); must not outlive the world.
  std::unique_ptr<Communicator> make_communicator(std::size_t piece_bytes);

  /// Orderly end: every rank must call it. Joins the MPI thread after MPI_Finalize.
  /// @throws CommunicationError
  void finish();

  /// The error path, from any thread and at any time: says "casvit: rank 3 of 8 on host: message",
  /// once, flushes, and ends the whole job with `code` (MPI_Abort), so that nobody is left hanging.
  /// Where several ranks fail, the first is named: on one node others keep silent, and a lost
  /// connection leaves the word to its cause for a moment. Should MPI be stuck, this process ends
  /// with `code` within seconds all the same, and the launcher ends the others.
  [[noreturn]] void abort(ExitCode code, const std::string& message);

 private:
  struct State;
  explicit World(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace casvit::launch
