// What fault_test.cpp and random_fault_test.cpp run under mpirun: ranks exchange the gradients of a
// made-up model step after step, and one of them goes wrong at the given call.

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "launch/guard.h"
#include "launch/mpi/check.h"

namespace casvit::launch {
namespace {

/// What goes wrong inside MPI, counted in calls of the functions below.
struct MpiFault {
  bool fails = false;
  bool hangs = false;
  bool silent = false;              ///< nothing is ever done from then on
  bool asking_fails = false;        ///< returns an error when asked what is missing
  bool asking_throws = false;       ///< the same, as no MPI function would
  std::atomic<int> calls_left{-1};  ///< negative: disarmed
};
MpiFault mpi_fault;

[[noreturn]] void hang() {
  while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}

/// Whether this call is to fail. A hanging one does not return.
bool strikes() {
  if (mpi_fault.calls_left < 0 || mpi_fault.calls_left-- > 0) return false;
  if (mpi_fault.hangs) hang();
  return mpi_fault.fails;
}

/// From this call on, once armed.
bool is_silent() { return mpi_fault.silent && mpi_fault.calls_left < 0; }

}  // namespace
}  // namespace casvit::launch

/// Outside the unnamed namespace, for only then do stacks have its name.
[[gnu::noinline]] void stuck_in_the_loader();
void stuck_in_the_loader() {
  while (true) std::this_thread::sleep_for(std::chrono::hours(2));  // unlike hang(): not folded
}
extern "C" int MPI_Irecv(void* data, int count, MPI_Datatype type, int peer, int tag,
                         MPI_Comm communicator, MPI_Request* request) {
  if (casvit::launch::strikes()) return MPI_ERR_OTHER;
  return PMPI_Irecv(data, count, type, peer, tag, communicator, request);
}
extern "C" int MPI_Testall(int count, MPI_Request requests[], int* flag, MPI_Status statuses[]) {
  if (casvit::launch::strikes()) return MPI_ERR_OTHER;
  if (casvit::launch::is_silent()) {
    *flag = 0;
    return MPI_SUCCESS;
  }
  return PMPI_Testall(count, requests, flag, statuses);
}
/// Asked only whose messages are missing.
extern "C" int MPI_Request_get_status(MPI_Request request, int* flag, MPI_Status* status) {
  if (casvit::launch::mpi_fault.asking_fails) return MPI_ERR_OTHER;
  if (casvit::launch::mpi_fault.asking_throws) throw std::logic_error("index 7 of 5");
  return PMPI_Request_get_status(request, flag, status);
}
extern "C" int MPI_Ibarrier(MPI_Comm communicator, MPI_Request* request) {
  if (casvit::launch::strikes()) return MPI_ERR_OTHER;
  return PMPI_Ibarrier(communicator, request);
}

namespace casvit::launch {
namespace {

struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

ExitCode classify(const std::exception& error) {
  return dynamic_cast<const InputError*>(&error) != nullptr ? ExitCode::kInput : ExitCode::kDefect;
}

struct Plan {
  std::string fault;
  int rank = 0;
  int call = 0;  ///< of a collective, or for mpi-* of an MPI function
  double timeout_seconds = 0;
};

void say(const char* what) {
  std::printf("%s\n", what);
  std::fflush(stdout);
}

void take_long(World& world) {
  auto watch = world.watch("loading step 3");
  for (int i = 0; i < 30; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    watch.feed();
  }
  say("came through");
}

/// The others wait without end, so that nobody but the watchdog can notice.
void get_stuck(World& world) {
  const auto watch = world.watch("loading step 3");
  stuck_in_the_loader();
}

void strike(const Plan& plan) {
  if (plan.fault == "late") hang();
  if (plan.fault == "dies") kill(getpid(), SIGKILL);
  if (plan.fault == "throws") throw InputError("train.h5: sample 7 is corrupt");
  if (plan.fault == "throws-defect") throw std::logic_error("index 7 of 5");
}

/// Collectives of all kinds, in steps like those of training; counts them from 1 like the world.
class Steps {
 public:
  Steps(World& world, const Plan& plan) : world_(world), plan_(plan) {}

  [[noreturn]] void run() {
    const auto ranks = static_cast<std::size_t>(world_.size());
    // To the end of the process: a fault leaves collectives under way in them.
    auto& buckets = *new std::vector<std::vector<float>>(3, std::vector<float>(3000 * ranks, 1.0F));
    auto& part = *new std::vector<float>(3000);
    while (true) {
      std::vector<Completion> completions;
      for (std::size_t i = 0; i < buckets.size(); ++i) {
        count("bucket " + std::to_string(i));
        completions.push_back(world_.communicator().all_reduce(
            buckets[i].data(), buckets[i].size(), ElementType::kFloat32, ReduceOp::kMax));
      }
      for (Completion& completion : completions) completion.wait();
      count("a part");
      world_.communicator()
          .reduce_scatter(buckets[0].data(), part.data(), part.size(), ElementType::kFloat32,
                          ReduceOp::kMax)
          .wait();
      count("all parts");
      world_.communicator()
          .all_gather(part.data(), buckets[1].data(), part.size(), ElementType::kFloat32)
          .wait();
      count("the order");
      world_.communicator()
          .broadcast(buckets[2].data(), buckets[2].size(), ElementType::kFloat32, 0)
          .wait();
      count("the end of a step");
      world_.communicator().barrier();
    }
  }

 private:
  void count(const std::string& purpose) {
    ++calls_;
    if (calls_ == plan_.call && plan_.fault == "stuck-alone") {
      if (world_.rank() == plan_.rank) get_stuck(world_);
      hang();
    }
    if (calls_ == plan_.call && plan_.fault == "slow-but-alive") take_long(world_);
    if (plan_.fault == "busy-alone") {
      if (calls_ == plan_.call && world_.rank() == plan_.rank) take_long(world_);
      if (calls_ == plan_.call + kCallsAStep && world_.rank() != plan_.rank) say("waited for it");
    }
    if (calls_ == plan_.call && world_.rank() == plan_.rank) strike(plan_);
    world_.communicator().announce(purpose);
  }

  static constexpr int kCallsAStep = 7;

  World& world_;
  const Plan& plan_;
  int calls_ = 1;  ///< the barrier before
};

int run(const Plan& plan) {
  // Faults of messages need messages, which ranks of one node otherwise do without.
  if (plan.fault.starts_with("mpi-")) setenv("CASVIT_SHARED_MEMORY", "off", 1);
  World world = World::start();
  world.set_timeout(
      std::chrono::milliseconds(static_cast<std::int64_t>(plan.timeout_seconds * 1000)));
  const auto body = [&] {
    // Nobody goes on, and wrong, before everybody has said that.
    std::printf("pid %d is rank %d.\n", getpid(), world.rank());
    std::fflush(stdout);
    world.communicator().barrier();
    if (world.rank() == plan.rank) {
      mpi_fault.fails = plan.fault == "mpi-fails";
      mpi_fault.hangs = plan.fault == "mpi-hangs";
      mpi_fault.asking_fails = plan.fault == "mpi-cannot-tell";
      mpi_fault.asking_throws = plan.fault == "mpi-throws-when-asked";
      mpi_fault.silent = mpi_fault.asking_fails || mpi_fault.asking_throws;
      if (mpi_fault.fails || mpi_fault.hangs || mpi_fault.silent) mpi_fault.calls_left = plan.call;
    }
    Steps(world, plan).run();
    return ExitCode::kDone;
  };
  return run_guarded(world, body, classify);
}

}  // namespace
}  // namespace casvit::launch

/// Usage: faulty_program FAULT RANK CALL TIMEOUT_SECONDS
int main(int argc, char** argv) {
  if (argc != 5) return 2;
  return casvit::launch::run({argv[1], std::atoi(argv[2]), std::atoi(argv[3]), std::atof(argv[4])});
}
